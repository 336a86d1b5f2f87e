//! `kind` of a group: Java clients, or plain REST clients and what they have on top.

use super::diagnostics::Diagnostics;
use super::reader::{Reader, one_of};
use crate::eureka::client::RestClient;

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
    is_rest.then_some(rest)
}
