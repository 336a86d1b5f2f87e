//! JUnit XML, as CI systems read it: a suite for each scenario, a case for each expectation.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::style::escape;
use crate::observe::Summary;

/// What has come of the runs so far. Times are not in it: it is the same after every run of the same
/// scenarios.
pub struct JUnit {
    report: Report,
}

impl Default for JUnit {
    fn default() -> Self {
        Self::new()
    }
}

impl JUnit {
    /// Of no runs so far.
    #[must_use]
    pub fn new() -> Self {
        Self { report: Report::new("eureka-sim") }
    }

    /// A scenario was run. One without expectations is a case too.
    pub fn ran(&mut self, path: &str, summary: &Summary) {
        let mut suite = TestSuite::new(summary.scenario.as_str());
        suite.add_property(("seed", summary.seed.to_string().as_str()));
        suite.add_property(("digest", summary.digest.as_str()));
        for expectation in &summary.expectations {
            let status = match expectation.ok {
                true => TestCaseStatus::success(),
                false => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_type("expectation").set_message(expectation.detail.as_str());
                    status
                }
            };
            let mut case = TestCase::new(escape(&expectation.text), status);
            case.set_classname(escape(path));
            suite.add_test_case(case);
        }
        if summary.expectations.is_empty() {
            let mut case = TestCase::new("runs to its end", TestCaseStatus::success());
            case.set_classname(escape(path));
            suite.add_test_case(case);
        }
        self.report.add_test_suite(suite);
    }

    /// A scenario could not be run, or its report not be written.
    pub fn refused(&mut self, path: &str, why: &str) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("scenario").set_description(why);
        let mut case = TestCase::new("can be run", status);
        case.set_classname(escape(path));
        let mut suite = TestSuite::new(escape(path));
        suite.add_test_case(case);
        self.report.add_test_suite(suite);
    }

    /// The file.
    #[must_use]
    pub fn xml(&self) -> String {
        self.report.to_string().expect("XML is written to memory")
    }
}
