//! What things look like in figures: colours, and dashes as a second channel beside them.

use plotters::style::RGBColor;

use super::draw::Dash;
use crate::eureka::InstanceStatus;

/// Text and axes.
pub(in crate::report) const INK: RGBColor = RGBColor(34, 34, 34);
/// What is less important.
pub(in crate::report) const GREY: RGBColor = RGBColor(102, 102, 102);
/// Grid lines.
pub(in crate::report) const FAINT: RGBColor = RGBColor(228, 228, 228);
/// Really alive.
pub(in crate::report) const ALIVE: RGBColor = RGBColor(0, 0, 0);
/// Faults.
pub(in crate::report) const FAULT: RGBColor = RGBColor(0xD5, 0x5E, 0x00);

/// Okabe–Ito: distinguishable also with impaired colour vision.
pub(in crate::report) const SERVERS: [RGBColor; 5] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0x56, 0xB4, 0xE9),
];
/// Dashes of servers, as second channel: one for each that is drawn. None is a solid line.
pub(in crate::report) const DASHES: [Option<Dash>; super::MOST_SERVERS] = [
    None,
    Some(Dash::new(9.0, 5.0)),
    Some(Dash::new(3.0, 4.0)),
    Some(Dash::new(14.0, 4.0)),
    Some(Dash::new(6.0, 9.0)),
    Some(Dash::new(2.0, 3.0)),
    Some(Dash::new(2.0, 8.0)),
    Some(Dash::new(6.0, 3.0)),
];

/// The colour of a status; its name stands in it too, where there is room.
pub(in crate::report) const fn status_colour(status: InstanceStatus) -> RGBColor {
    match status {
        InstanceStatus::Up => SERVERS[2],
        InstanceStatus::Down => FAULT,
        InstanceStatus::OutOfService => SERVERS[3],
        InstanceStatus::Starting => SERVERS[1],
        InstanceStatus::Unknown => GREY,
    }
}

/// The colour of a server.
pub(in crate::report) const fn server_colour(index: usize) -> RGBColor {
    SERVERS[index % SERVERS.len()]
}
