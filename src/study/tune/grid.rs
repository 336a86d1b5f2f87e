//! `--param KEY=A..B:STEP` and `KEY=a,b,c`: the values that are tried, and all their combinations.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use toml::de::DeValue;

/// What is tried if nothing is said.
pub const DEFAULT_PARAM: &str = "eureka.server.renewal-percent-threshold=0.50..0.95:0.05";
/// Most combinations of values.
pub(super) const MOST_SETTINGS: usize = 10_000;

/// A key of the scenario and the values that are tried for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Param {
    /// As in the file, with dots.
    pub key: String,
    /// As `--set` takes them; at least one.
    pub values: Vec<String>,
}

/// Why a `--param` is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GridError {
    /// There is no key, or no `=`.
    #[error(
        "`{0}` has no key and values: write KEY=A..B:STEP, as in `{DEFAULT_PARAM}`, or KEY=a,b,c"
    )]
    NoValues(String),
    /// A value is empty.
    #[error("`{0}` has an empty value: write KEY=a,b,c")]
    EmptyValue(String),
    /// A value stands there twice.
    #[error("`{0}` has the value `{1}` twice")]
    Twice(String, String),
    /// A range is not one.
    #[error("`{0}` is no range: {1}; write A..B:STEP, as in 0.50..0.95:0.05 or 1s..5s:500ms")]
    NoRange(String, &'static str),
    /// Two are of the same key.
    #[error("`{0}` is given twice: write all its values into one --param")]
    SameKey(String),
    /// There are too many combinations.
    #[error(
        "these are {0} combinations of values, and more than {MOST_SETTINGS} cannot be compared"
    )]
    TooMany(usize),
}

impl Param {
    /// Reads `KEY=A..B:STEP` (both ends included, in decimal arithmetic; a unit may follow each number) or
    /// `KEY=a,b,c`.
    ///
    /// # Errors
    /// If it is neither.
    pub fn parse(text: &str) -> Result<Self, GridError> {
        let Some((key, values)) = text.split_once('=') else {
            return Err(GridError::NoValues(text.to_owned()));
        };
        let (key, values) = (key.trim().to_owned(), values.trim());
        if key.is_empty() {
            return Err(GridError::NoValues(text.to_owned()));
        }
        // Elsewhere `..` stands in values: `network.latency=1ms..5ms` is one latency.
        let is_number = |text: &str| text.trim().parse::<Decimal>().is_ok();
        let values = match values.split_once("..") {
            Some((first, rest))
                if !values.contains(',')
                    && (rest.contains(':') || (is_number(first) && is_number(rest))) =>
            {
                range(values, first, rest)?
            }
            _ => list(values),
        };
        if values.iter().any(String::is_empty) {
            return Err(GridError::EmptyValue(text.to_owned()));
        }
        for (place, value) in values.iter().enumerate() {
            if values[..place].contains(value) {
                return Err(GridError::Twice(text.to_owned(), value.clone()));
            }
        }
        Ok(Self { key, values })
    }
}

/// The values of a list. Those that are TOML may have commas in brackets and quotes.
fn list(text: &str) -> Vec<String> {
    let document = format!("[{text}]");
    let parsed = DeValue::parse(&document).ok();
    match parsed.as_ref().map(|parsed| parsed.get_ref()) {
        Some(DeValue::Array(array)) if !array.is_empty() && !text.ends_with(',') => {
            array.iter().map(|value| document[value.span()].to_owned()).collect()
        }
        _ => text.split(',').map(|value| value.trim().to_owned()).collect(),
    }
}

/// The values from A to B.
fn range(text: &str, first: &str, rest: &str) -> Result<Vec<String>, GridError> {
    let no = |why| GridError::NoRange(text.to_owned(), why);
    let (last, step) = rest.split_once(':').ok_or(no("it has no step"))?;
    let (first, unit) = number(first).ok_or(no("A is no number"))?;
    let (last, last_unit) = number(last).ok_or(no("B is no number"))?;
    let (step, step_unit) = number(step).ok_or(no("STEP is no number"))?;
    if last_unit != unit || step_unit != unit {
        return Err(no("A, B and STEP must have the same unit"));
    }
    if step <= Decimal::ZERO {
        return Err(no("STEP must be above 0"));
    }
    if first > last {
        return Err(no("A is above B"));
    }
    let mut values = Vec::new();
    let mut value = first;
    while value <= last {
        if values.len() == MOST_SETTINGS {
            return Err(no("it has more than 10000 values"));
        }
        values.push(format!("{value}{unit}"));
        value = value.checked_add(step).ok_or(no("it is too large"))?;
    }
    if value - step != last {
        return Err(no("the steps do not reach B"));
    }
    Ok(values)
}

/// A decimal number and the unit that follows it.
fn number(text: &str) -> Option<(Decimal, &str)> {
    let text = text.trim();
    let digits =
        text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == '%');
    Some((digits.parse().ok()?, &text[digits.len()..]))
}

/// All combinations of values, the last parameter varying fastest: positions in the lists of values.
///
/// # Errors
/// If a key stands there twice, or there are too many.
pub(super) fn combinations(params: &[Param]) -> Result<Vec<Vec<usize>>, GridError> {
    for (place, param) in params.iter().enumerate() {
        if params[..place].iter().any(|earlier| earlier.key == param.key) {
            return Err(GridError::SameKey(param.key.clone()));
        }
    }
    let count =
        params.iter().try_fold(1_usize, |count, param| count.checked_mul(param.values.len()));
    let count = count.unwrap_or(usize::MAX);
    if count > MOST_SETTINGS {
        return Err(GridError::TooMany(count));
    }
    let mut all = vec![Vec::new()];
    for param in params {
        let longer = |start: &Vec<usize>, value| start.iter().copied().chain([value]).collect();
        all = all
            .iter()
            .flat_map(|start: &Vec<usize>| {
                (0..param.values.len()).map(move |value| longer(start, value))
            })
            .collect();
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::{Param, combinations};

    fn values(text: &str) -> String {
        match Param::parse(text) {
            Ok(param) => param.values.join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_range_counts_in_decimals_and_has_both_ends() {
        let all = "0.50 0.55 0.60 0.65 0.70 0.75 0.80 0.85 0.90 0.95";
        assert_eq!(values(super::DEFAULT_PARAM), all);
        assert_eq!(values("k=0.1..0.3:0.1"), "0.1 0.2 0.3");
        assert_eq!(values("k=1..9:4"), "1 5 9");
        assert_eq!(values("k=500ms..2000ms:500ms"), "500ms 1000ms 1500ms 2000ms");
        assert_eq!(values("k=-2..2:2"), "-2 0 2");
        assert_eq!(values("k=5%..15%:5%"), "5% 10% 15%");
    }

    #[test]
    fn a_list_has_its_values_as_they_stand() {
        assert_eq!(values("k = a, b ,c"), "a b c");
        assert_eq!(values("cluster.release=1.9.6,2.0.6"), "1.9.6 2.0.6");
        // One latency, and two.
        assert_eq!(values("network.latency=1ms..5ms"), "1ms..5ms");
        assert_eq!(values("network.latency=1ms..5ms,2s"), "1ms..5ms 2s");
        assert_eq!(values("cluster.flavor=netflix"), "netflix");
        assert_eq!(values(r#"cluster.zones=["a", "b"], ["c"]"#), r#"["a", "b"] ["c"]"#);
        assert_eq!(values(r#"k="x, y",'z'"#), r#""x, y" 'z'"#);
    }

    #[test]
    fn what_is_no_range_and_no_list_says_why() {
        for (text, wanted) in [
            ("k", "has no key and values"),
            ("=1", "has no key and values"),
            ("k=0.5..0.9", "it has no step"),
            ("k=0.1..0.3:0.15", "do not reach B"),
            ("k=", "empty value"),
            ("k=1,,2", "empty value"),
            ("k=1,2,1", "`1` twice"),
            ("k=1..2:0", "STEP must be above 0"),
            ("k=2..1:1", "A is above B"),
            ("k=1s..2m:1s", "same unit"),
            ("k=a..b:c", "A is no number"),
            ("k=1..b:1", "B is no number"),
            ("k=1..2:", "STEP is no number"),
            ("k=0..1:0.0000001", "more than 10000 values"),
            ("k=0..79228162514264337593543950335:79228162514264337593543950334", "too large"),
        ] {
            assert!(values(text).contains(wanted), "{text}: {}", values(text));
        }
    }

    #[test]
    fn combinations_are_all_of_them_the_last_key_fastest() {
        let param = |text| Param::parse(text).expect("a parameter");
        let all = combinations(&[param("a=1,2"), param("b=x,y,z")]).expect("six");
        assert_eq!(all, [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]);
        assert_eq!(combinations(&[]).expect("the file as it is"), [[0; 0]]);
        let long = param("a=1..10000:1");
        assert!(combinations(&[long.clone(), param("b=1,2")]).is_err());
        assert!(combinations(&[long.clone(), long]).is_err());
    }
}
