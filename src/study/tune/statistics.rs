//! Means of a few runs, and how sure they are.

use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::statistics::Statistics;

/// How sure an interval is: 95 %, both sides.
const UPPER: f64 = 0.975;

/// A mean and its 95 % confidence interval (Student's t).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// The interval reaches so far each way; nothing is known of it from a single value.
    pub half_width: Option<f64>,
}

impl Estimate {
    /// Of at least one value.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let mean = values.mean();
        // Equal values differ from their mean by rounding, and from nothing else.
        let differ = values.iter().any(|value| *value != values[0]);
        let half_width = match values.len() {
            0 | 1 => None,
            _ if !differ => Some(0.0),
            count => {
                let freedom = (count - 1) as f64;
                let student = StudentsT::new(0.0, 1.0, freedom).ok();
                let quantile = student.map(|student| student.inverse_cdf(UPPER));
                quantile.map(|quantile| quantile * values.std_dev() / (count as f64).sqrt())
            }
        };
        Self { mean, half_width }
    }

    /// The sum with another that is independent of it.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let both = self.half_width.zip(other.half_width);
        let half_width = both.map(|(own, other)| (own * own + other * other).sqrt());
        Self { mean: self.mean + other.mean, half_width }
    }
}

#[cfg(test)]
mod tests {
    use super::Estimate;

    /// The textbook's: 4.6 ± 2.776 · 1.1402 / √5.
    #[test]
    fn the_interval_is_students() {
        let Estimate { mean, half_width } = Estimate::of(&[3.0, 4.0, 5.0, 5.0, 6.0]);
        assert!((mean - 4.6).abs() < 1e-12);
        assert!((half_width.expect("five values") - 1.415_7).abs() < 1e-4, "{half_width:?}");
    }

    #[test]
    fn equal_values_leave_no_doubt_and_one_value_leaves_all() {
        assert_eq!(Estimate::of(&[0.1; 3]).half_width, Some(0.0));
        assert_eq!(Estimate::of(&[7.0]), Estimate { mean: 7.0, half_width: None });
    }

    #[test]
    fn the_interval_of_a_sum_is_that_of_independent_parts() {
        let part = |mean, half_width| Estimate { mean, half_width };
        assert_eq!(part(1.0, Some(3.0)).and(part(2.0, Some(4.0))), part(3.0, Some(5.0)));
        assert_eq!(part(1.0, Some(3.0)).and(part(2.0, None)), part(3.0, None));
    }
}
