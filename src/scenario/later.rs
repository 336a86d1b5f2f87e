//! Words of the format that this version does not execute yet. They are read as strictly as all the
//! others, so that what is wrong with them is said too; then they are refused, never ignored.

use super::apps::MOST_INSTANCES;
use super::build::Builder;
use super::reader::{Reader, required, share};
use super::select;
use super::tree::{Node, Value};

/// `scale` and `deploy` of the timeline.
pub(super) fn action(what: &str, node: &Node, builder: &mut Builder) {
    let name = format!("`{what}`");
    if let Some(mut reader) = Reader::of(node, &name, &mut builder.diags) {
        match what {
            "scale" => scale(&mut reader, builder),
            _ => deploy(&mut reader, builder),
        }
        reader.finish(&mut builder.diags);
    }
    builder.diags.not_yet(&node.place, &format!("the action `{what}`"));
}

fn scale(reader: &mut Reader<'_>, builder: &mut Builder) {
    app(reader, builder);
    let diags = &mut builder.diags;
    reader.whole("to", 0..=MOST_INSTANCES, diags);
    required(reader, "to", "to = 10", diags);
    reader.duration("every", diags);
    reader.flag("graceful", diags);
}

fn deploy(reader: &mut Reader<'_>, builder: &mut Builder) {
    app(reader, builder);
    let diags = &mut builder.diags;
    match reader.node("batch").map(|node| (&node.value, node)) {
        Some((Value::Int(1..), _)) | None => {}
        Some((Value::Int(_), node)) => {
            diags.out_of_range(&node.place, "`batch`", "at least 1, or a share");
        }
        Some((_, node)) => drop(share(node, diags)),
    }
    reader.duration("every", diags);
    reader.duration("down", diags);
    reader.flag("graceful", diags);
    reader.flag("new-ids", diags);
}

/// `app`: which application.
fn app(reader: &mut Reader<'_>, builder: &mut Builder) {
    if let Some(name) = reader.text("app", &mut builder.diags) {
        select::app(&name.value, &name.place, builder);
    }
    required(reader, "app", "app = \"ORDERS\"", &mut builder.diags);
}
