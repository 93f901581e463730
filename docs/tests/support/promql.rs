//! As much of Prometheus' query language as finds the series in an expression, and what is asked of them.

/// One selector of a series, with what is said of its labels.
#[derive(Debug, PartialEq)]
pub(crate) struct Selector {
    pub(crate) series: String,
    /// Label, operator, value.
    pub(crate) matchers: Vec<(String, String, String)>,
    /// The labels by which it is aggregated, by any of the aggregations around it.
    pub(crate) by: Vec<String>,
    /// The function that it is the argument of, if it is one of a range: `rate`, `increase`, `min_over_time`.
    pub(crate) function: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(String),
}

/// Every selector of a series of ours, those that rules record included.
pub(crate) fn selectors(expression: &str) -> Vec<Selector> {
    let tokens = tokens(expression);
    // What each parenthesis that is open now belongs to: a function's name, and the labels of an aggregation.
    let mut open: Vec<(Option<String>, Vec<String>)> = Vec::new();
    let (mut name, mut labels) = (None, Vec::new());
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            Token::Word(word) if word == "by" => {
                let end =
                    at + tokens[at..].iter().position(|token| is_sign(token, ")")).expect("a list of labels ends");
                labels = words(&tokens[at + 1..end]);
                at = end;
            }
            Token::Word(word) if word.contains("evenkeel_") => {
                let matchers = matchers(&tokens[at + 1..]);
                let by = open.iter().flat_map(|(_, labels)| labels.clone()).collect();
                let function = open.last().and_then(|(function, _)| function.clone());
                found.push(Selector { series: word.clone(), matchers, by, function });
            }
            Token::Word(word) => name = Some(word.clone()),
            Token::Sign(sign) if sign == "(" => open.push((name.take(), std::mem::take(&mut labels))),
            Token::Sign(sign) if sign == ")" => drop(open.pop()),
            Token::Sign(_) | Token::Text(_) => {}
        }
        at += 1;
    }
    found
}

fn matchers(after: &[Token]) -> Vec<(String, String, String)> {
    if !after.first().is_some_and(|token| is_sign(token, "{")) {
        return Vec::new();
    }
    let end = after.iter().position(|token| is_sign(token, "}")).expect("a list of matchers ends");
    let each = after[1..end].split(|token| is_sign(token, ","));
    each.map(|matcher| match matcher {
        [Token::Word(label), Token::Sign(operator), Token::Text(value)] => {
            (label.clone(), operator.clone(), value.clone())
        }
        other => panic!("a matcher is a label, an operator and a value: {other:?}"),
    })
    .collect()
}

fn words(tokens: &[Token]) -> Vec<String> {
    tokens.iter().filter_map(|token| if let Token::Word(word) = token { Some(word.clone()) } else { None }).collect()
}

fn is_sign(token: &Token, sign: &str) -> bool {
    matches!(token, Token::Sign(is) if is == sign)
}

fn tokens(expression: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '$');
        let length = if first == '"' {
            rest[1..].find('"').expect("a text ends") + 2
        } else if in_word(first) {
            rest.find(|c| !in_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("!=") || rest.starts_with("=~") || rest.starts_with("!~") {
            2
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        tokens.push(match first {
            '"' => Token::Text(token.trim_matches('"').to_owned()),
            first if in_word(first) => Token::Word(token.to_owned()),
            _ => Token::Sign(token.to_owned()),
        });
        rest = after.trim_start();
    }
    tokens
}

#[test]
fn selectors_are_found_with_what_is_asked_of_their_labels() {
    let found = selectors(
        r#"sum by (job, le) (rate(evenkeel_a{x="1", y!~"b|c"}[5m])) / max(evenkeel_b) > on (job) p:evenkeel_c"#,
    );
    let matcher = |parts: [&str; 3]| parts.map(str::to_owned).into();
    assert_eq!(found[0].matchers, [matcher(["x", "=", "1"]), matcher(["y", "!~", "b|c"])]);
    assert_eq!((found[0].series.as_str(), found[0].function.as_deref()), ("evenkeel_a", Some("rate")));
    assert_eq!(found[0].by, ["job", "le"]);
    assert_eq!((found[1].function.as_deref(), found[1].by.len()), (Some("max"), 0));
    assert_eq!((found[2].series.as_str(), found[2].function.as_deref(), found.len()), ("p:evenkeel_c", None, 3));
}
