//! On which line each key of a JSON document stands, which `serde_json` does not tell.

use std::collections::BTreeMap;

/// Keys below this depth are not asked for.
const MAX_DEPTH: usize = 3;

/// Line (1-based) of every key, by the keys from the top down to it. Keys inside arrays are left out.
///
/// Made for documents that parsed: on anything else it returns what it saw until it lost its way.
pub(super) fn key_lines(text: &str) -> BTreeMap<Vec<String>, u32> {
    let mut found = BTreeMap::new();
    // Keys around the cursor; an array's contents go under `None`.
    let mut around: Vec<Option<String>> = Vec::new();
    let mut last_string: Option<(String, u32)> = None;
    let mut line = 1;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\n' => line += 1,
            b'"' => {
                let mut end = None;
                while let Some((at, byte)) = bytes.next() {
                    match byte {
                        b'\\' => {
                            bytes.next();
                        }
                        b'"' => {
                            end = Some(at);
                            break;
                        }
                        _ => {}
                    }
                }
                let Some(end) = end else { break };
                let name = serde_json::from_str(&text[at..=end]).unwrap_or_default();
                last_string = Some((name, line));
            }
            b':' => {
                if let Some((name, line)) = last_string.take() {
                    around.pop();
                    let keys: Option<Vec<String>> = around.iter().cloned().chain([Some(name.clone())]).collect();
                    around.push(Some(name));
                    if let Some(keys) = keys.filter(|keys| keys.len() <= MAX_DEPTH) {
                        found.entry(keys).or_insert(line);
                    }
                }
            }
            // The slot of the key to come; the keys of the objects around it stay below.
            b'{' | b'[' => around.push(None),
            b'}' | b']' => {
                around.pop();
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_line_they_stand_on() {
        let text = "{\n  \"name\": \"a: b\",\n  \"bin\": [\n    { \"x\": 1 }\n  ],\n  \"dependencies\": {\n    \"zod\": \"^3\",\n    \"a\\\"b\": \"1\"\n  }\n}";
        let lines: Vec<(String, u32)> =
            key_lines(text).into_iter().map(|(keys, line)| (keys.join(" > "), line)).collect();
        let expected =
            [("bin", 3), ("dependencies", 6), ("dependencies > a\"b", 8), ("dependencies > zod", 7), ("name", 2)];
        assert_eq!(lines, expected.map(|(keys, line)| (keys.to_owned(), line)));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[\\[\\]{}\":,\\\\a\né ]{0,60}") {
            key_lines(&text);
        }
    }
}
