//! `[hunt]`: its words, and what is wrong with them.

use expect_test::expect;

use super::{FLEET, HEAD, problems};

#[test]
fn the_bounds_of_a_hunt_are_checked() {
    let good = "[hunt]\nfaults = ['kill', 'partition']\nprotect = 'server:eureka-0'\nquiet = '5m'\nruns = 100\nmax-faults = 5";
    assert_eq!(problems(&format!("{FLEET}{good}")), "");
    let bad =
        "[hunt]\nfaults = ['kil']\nprotect = 'server:eureka-9'\nquiet = 5\nruns = 0\nmax-fault = 5";
    expect![[r#"
        s.toml:4:11: S018 there is no fault `kil`
            = did you mean `kill`?
        s.toml:5:11: S007 there is no server `eureka-9`
            = did you mean `eureka-0`?
        s.toml:6:9: S003 expected a duration like `"30s"` or `"1h30m"`, found a whole number
            ^ this is a whole number
        s.toml:7:8: S006 `runs` must be from 1 to 4294967295
        s.toml:8:1: S002 unknown key `max-fault` in [hunt]
            = did you mean `max-faults`?
    "#]]
    .assert_eq(&problems(&format!("{HEAD}{bad}")));
}
