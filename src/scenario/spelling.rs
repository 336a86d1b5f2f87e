//! One spelling for keys that have two: `eureka.*` is read in kebab-case, and camelCase is turned into
//! it before files and arguments are merged. So the last word on a key wins, however it is written.

use super::diagnostics::Diagnostics;
use super::eureka_keys::MAPS;
use super::tree::{Table, Value};
use crate::eureka::config::kebab_case;

/// Turns every key under an `eureka` table of a scenario into kebab-case.
pub(super) fn unify(document: &mut Table, diags: &mut Diagnostics) {
    unify_eureka(document, diags);
    for list in ["servers", "apps"] {
        let entries = document.get_mut(list).map(|(_, node)| &mut node.value);
        if let Some(Value::List(entries)) = entries {
            for entry in entries {
                if let Value::Table(table) = &mut entry.value {
                    unify_eureka(table, diags);
                }
            }
        }
    }
}

/// Likewise the keys of a dotted key: `apps.ORDERS.eureka.instance.leaseRenewalIntervalInSeconds`.
pub(super) fn unify_path(keys: &mut [String]) {
    let eureka = match keys.first().map(String::as_str) {
        Some("eureka") => 0,
        Some("servers" | "apps") => 2,
        _ => return,
    };
    if keys.get(eureka).is_none_or(|key| key != "eureka") {
        return;
    }
    for key in keys.iter_mut().skip(eureka + 2) {
        *key = kebab_case(key);
        if MAPS.contains(&key.as_str()) {
            return;
        }
    }
}

fn unify_eureka(table: &mut Table, diags: &mut Diagnostics) {
    let Some((_, eureka)) = table.get_mut("eureka") else {
        return;
    };
    let Value::Table(sections) = &mut eureka.value else {
        return;
    };
    for (_, section) in sections.values_mut() {
        if let Value::Table(keys) = &mut section.value {
            unify_keys(keys, diags);
        }
    }
}

fn unify_keys(table: &mut Table, diags: &mut Diagnostics) {
    for (key, (place, mut node)) in std::mem::take(table) {
        let kebab = kebab_case(&key);
        if let Value::Table(inner) = &mut node.value
            && !MAPS.contains(&kebab.as_str())
        {
            unify_keys(inner, diags);
        }
        if let Some((earlier, _)) = table.get(&kebab) {
            let later = if earlier.span.start > place.span.start { earlier } else { &place };
            let help = "it is written in two spellings: keep one of them";
            diags.duplicate(&later.clone(), "the key", &kebab, help);
        }
        table.insert(kebab, (place, node));
    }
}
