//! `second-client` of a group: another `DiscoveryClient` on the same `ApplicationInfoManager`, as
//! applications have that register with two clusters.

use super::build::Builder;
use super::reader::{Reader, required};
use crate::eureka::client::{Endpoints, SecondClient};

/// Reads it, if it is there.
pub(super) fn read(reader: &mut Reader<'_>, builder: &mut Builder) -> Option<SecondClient> {
    let node = reader.node("second-client")?;
    let mut reader = Reader::of(node, "`second-client`", &mut builder.diags)?;
    let servers = super::apps::servers(&mut reader, builder);
    let diags = &mut builder.diags;
    required(&reader, "servers", "servers = [\"eureka-1\"]", diags);
    let start = reader.duration("start", diags);
    required(&reader, "start", "start = \"2m\"", diags);
    let stop = reader.duration("stop", diags);
    reader.finish(diags);
    if let (Some(start), Some(stop)) = (&start, &stop)
        && stop.value <= start.value
    {
        diags.out_of_range(&stop.place, "`stop`", "after `start`");
    }
    let endpoints = Endpoints { own_zone: servers?, in_given_order: true, ..Endpoints::default() };
    Some(SecondClient { endpoints, start: start?.value, stop: stop.map(|stop| stop.value) })
}
