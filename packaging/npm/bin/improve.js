#!/usr/bin/env node
// Starts the program of this system, which npm installed beside this package: its input and output are ours, its end is ours too.
'use strict'

const { spawn } = require('node:child_process')
const { constants } = require('node:os')
const { optionalDependencies } = require('../package.json')

// Nearest first: what runs natively, then what the system runs for another processor.
const packages = {
  'darwin-arm64': ['darwin-arm64'],
  'darwin-x64': ['darwin-x64'],
  'linux-arm64': ['linux-arm64'],
  'linux-x64': ['linux-x64'],
  'win32-arm64': ['win32-x64'],
  'win32-x64': ['win32-x64'],
}

const system = `${process.platform}-${process.arch}`
const isWindows = process.platform === 'win32'

function located() {
  const names = Object.keys(optionalDependencies)
  for (const wanted of packages[system] ?? []) {
    const name = names.find((it) => it.endsWith(`/${wanted}`))
    try {
      return require.resolve(`${name}/bin/improve${isWindows ? '.exe' : ''}`)
    } catch {}
  }
  return undefined
}

function explained() {
  const [wanted] = packages[system] ?? []
  if (wanted === undefined) {
    return `there is no package for ${system}; \`cargo install\` from the source builds the program`
  }
  const name = Object.keys(optionalDependencies).find((it) => it.endsWith(`/${wanted}`))
  return (
    `${name} is not installed: install again with optional dependencies (without --omit=optional or --no-optional), ` +
    `and on this system if node_modules came from another one`
  )
}

const program = located()
if (program === undefined) {
  console.error(`improve: ${explained()}`)
  process.exit(2)
}

// The terminal sends ctrl-C to the program as well, which decides what to do about it; one that only we were sent is passed on. To pass
// it on is to kill at once on Windows, where the console sends it to both in any case.
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
for (const signal of signals) {
  process.on(signal, () => {
    if (!isWindows) child.kill(signal)
  })
}
// Started last: it may be heard of, and so be ended, before the next line runs.
const child = spawn(program, process.argv.slice(2), { stdio: 'inherit' })
child.on('error', (error) => {
  console.error(`improve: ${program} could not be started: ${error.message}`)
  process.exit(2)
})
child.on('exit', (code, signal) => {
  if (signal === null) {
    process.exit(code)
  }
  // Ended as the program was, so that a shell sees it; a number stands for it where that is not possible.
  for (const it of signals) process.removeAllListeners(it)
  process.exitCode = 128 + (constants.signals[signal] ?? 0)
  process.kill(process.pid, signal)
})
