//! `kind` of a group: Java clients, or plain REST clients and what they have on top.

use super::diagnostics::Diagnostics;
use super::reader::{Reader, one_of};
use crate::eureka::client::RestClient;

/// Words of a group that only Java clients have a use for.
const OF_JAVA: [&str; 7] =
    ["register", "fetch", "health", "out-of-service", "warm-up", "drain", "second-client"];

/// A plain REST client, if the group is made of such.
pub(super) fn kind(reader: &mut Reader<'_>, diags: &mut Diagnostics) -> Option<RestClient> {
    let is_rest = one_of(reader, "kind", ["java", "rest"], diags) == Some("rest");
    let mut word = |key: &'static str| {
        let given = reader.flag(key, diags);
        if given.is_some() && !is_rest {
            let message = format!("`{key}` is a word of plain REST clients");
            diags.misplaced(&reader.key_place(key), message, "add `kind = \"rest\"`");
        }
        given == Some(true)
    };
    let rest = RestClient {
        re_registers_on_404: word("re-register-on-404"),
        sends_status: word("sends-status"),
        sends_dirty: word("sends-dirty"),
    };
    if is_rest {
        for key in reader.present(&OF_JAVA) {
            let message = format!("`{key}` has no effect on plain REST clients");
            diags.warn("W001", &reader.key_place(key), message, "leave it out");
        }
    }
    is_rest.then_some(rest)
}
