//! Expressions of GitHub's workflows, as far as the action uses them: names, texts, `==`, `!=`, `&&`, `||`, brackets.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/expressions>

/// A value.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(String),
    Bool(bool),
}

impl Value {
    fn holds(&self) -> bool {
        match self {
            Value::Text(text) => !text.is_empty(),
            Value::Bool(holds) => *holds,
        }
    }

    fn text(&self) -> String {
        match self {
            Value::Text(text) => text.clone(),
            Value::Bool(holds) => holds.to_string(),
        }
    }
}

/// What stands in `${{ … }}` of `text`, replaced. `name` says what a name is worth.
pub fn rendered(text: &str, name: &dyn Fn(&str) -> String) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").expect("an expression ends");
        done.push_str(before);
        done.push_str(&evaluated(expression, name).text());
        rest = after;
    }
    done + rest
}

/// Whether a condition holds.
pub fn holds(condition: &str, name: &dyn Fn(&str) -> String) -> bool {
    evaluated(condition, name).holds()
}

fn evaluated(expression: &str, name: &dyn Fn(&str) -> String) -> Value {
    let mut reader = Reader { rest: expression, name };
    let value = reader.either();
    assert!(reader.rest.trim().is_empty(), "not read: {} of {expression}", reader.rest);
    value
}

struct Reader<'a> {
    rest: &'a str,
    name: &'a dyn Fn(&str) -> String,
}

impl Reader<'_> {
    fn takes(&mut self, sign: &str) -> bool {
        match self.rest.trim_start().strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn either(&mut self) -> Value {
        let mut value = self.both();
        while self.takes("||") {
            let other = self.both();
            value = if value.holds() { value } else { other };
        }
        value
    }

    fn both(&mut self) -> Value {
        let mut value = self.compared();
        while self.takes("&&") {
            let other = self.compared();
            value = if value.holds() { other } else { value };
        }
        value
    }

    fn compared(&mut self) -> Value {
        let value = self.one();
        if self.takes("==") {
            return Value::Bool(value == self.one());
        }
        if self.takes("!=") {
            return Value::Bool(value != self.one());
        }
        value
    }

    fn one(&mut self) -> Value {
        if self.takes("(") {
            let value = self.either();
            assert!(self.takes(")"), "a bracket is open: {}", self.rest);
            return value;
        }
        if self.takes("'") {
            let (text, rest) = self.rest.split_once('\'').expect("a text ends");
            let text = text.to_owned();
            self.rest = rest;
            return Value::Text(text);
        }
        let rest = self.rest.trim_start();
        let end = rest.find(|it: char| !(it.is_alphanumeric() || "._-".contains(it))).unwrap_or(rest.len());
        assert!(end > 0, "neither name nor text: {rest}");
        self.rest = &rest[end..];
        Value::Text((self.name)(&rest[..end]))
    }
}
