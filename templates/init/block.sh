# >>> improve >>> what a push brings is looked at first; IMPROVE_SKIP_HOOK=1 leaves it out
if command -v improve >/dev/null 2>&1; then
  improve branch --hook{{ stdin }} || exit 1
else
  echo "improve: not on PATH, so nothing was looked at" >&2
fi
# <<< improve <<<
