//! Figures: SVG and PNG of the same drawing, on one axis of virtual time.

mod card;
mod draw;
mod metrics;
mod multiples;
pub(super) mod palette;
mod panels;
mod risk;
mod scale;
mod statuses;
mod story;
mod tune;

use std::sync::Once;

use plotters::backend::{BitMapBackend, RGBPixel, SVGBackend};
use plotters::drawing::IntoDrawingArea;
use plotters::prelude::{DrawingBackend, FontStyle};

use crate::observe::Recording;
use crate::scenario::Plan;
use draw::Sheet;
#[cfg(test)]
pub(super) use draw::Stroke;
pub use story::StoryFigure;
pub use tune::TuneFigure;

/// Most servers that are drawn; more would be a carpet.
pub(super) const MOST_SERVERS: usize = 8;

/// Units of the drawing.
const WIDTH: u32 = 1200;
/// Pixels per unit in a PNG: letters of 12 units are not to be read at 12 pixels.
const PNG_SCALE: u32 = 2;

/// Roboto (Apache-2.0, see the licence beside it), reduced to Latin, Greek and Cyrillic.
const FONT: &[u8] = include_bytes!("font/Roboto-Regular.ttf");

/// A figure of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// What each server has registered against who is really alive, and the evictions between.
    RegistrySize,
    /// Renewals against the threshold.
    RenewRates,
    /// A panel for each metric that was asked for.
    Metrics,
    /// What instances say of themselves, and what each server has of them: those that expectations
    /// ask after.
    Statuses,
    /// The run on a small card, for lists of many. No run leaves it.
    Card,
}

impl Figure {
    /// Every figure that a run may leave.
    pub const ALL: [Self; 4] =
        [Self::RegistrySize, Self::RenewRates, Self::Metrics, Self::Statuses];

    /// Whether there is something to draw.
    #[must_use]
    pub fn is_of(self, recording: &Recording) -> bool {
        match self {
            Self::RegistrySize | Self::RenewRates | Self::Card => true,
            Self::Metrics => !recording.series.metrics().is_empty(),
            Self::Statuses => statuses::is_of(recording),
        }
    }

    /// Its file's name, without extension.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RegistrySize => "registry-size",
            Self::RenewRates => "renew-rates",
            Self::Metrics => "metrics",
            Self::Statuses => "statuses",
            Self::Card => "card",
        }
    }

    /// The figure as SVG.
    #[must_use]
    pub fn svg(self, plan: &Plan, recording: &Recording) -> String {
        OfRun { figure: self, plan, recording }.svg()
    }

    /// The figure as PNG.
    #[must_use]
    pub fn png(self, plan: &Plan, recording: &Recording) -> Vec<u8> {
        OfRun { figure: self, plan, recording }.png()
    }

    /// Width and height in units of the drawing.
    fn size(self, plan: &Plan, recording: &Recording) -> (u32, u32) {
        let lanes = panels::lanes_height(recording);
        let height = match self {
            Self::RegistrySize => 90 + 330 + 190 + panels::traffic_height(recording) + lanes,
            Self::RenewRates => 90 + 360 + lanes,
            Self::Metrics => 90 + metrics::height(recording) + lanes,
            Self::Statuses => 90 + statuses::height(recording),
            Self::Card => return (card::WIDTH, card::height(plan, recording)),
        };
        (WIDTH, height)
    }

    fn draw<DB: DrawingBackend>(
        self,
        sheet: &mut Sheet<'_, DB>,
        plan: &Plan,
        recording: &Recording,
    ) {
        if self == Self::Card {
            return card::draw(sheet, plan, recording);
        }
        sheet.title(&plan.name, &plan.about);
        let top = 74;
        match self {
            Self::Card => {}
            Self::Statuses => statuses::lanes(sheet, plan, recording, top),
            Self::RegistrySize => {
                panels::registry_size(sheet, plan, recording, (top, top + 330));
                panels::evictions(sheet, plan, recording, (top + 330, top + 520));
                let calls = panels::traffic_height(recording) as i32;
                panels::traffic(sheet, plan, recording, (top + 520, top + 520 + calls));
                panels::lanes(sheet, plan, recording, top + 520 + calls);
            }
            Self::RenewRates => {
                panels::renew_rates(sheet, plan, recording, (top, top + 360));
                panels::lanes(sheet, plan, recording, top + 360);
            }
            Self::Metrics => {
                metrics::panels(sheet, plan, recording, top);
                panels::lanes(sheet, plan, recording, top + metrics::height(recording) as i32);
            }
        }
    }
}

/// A figure of one run.
struct OfRun<'a> {
    figure: Figure,
    plan: &'a Plan,
    recording: &'a Recording,
}

impl Drawing for OfRun<'_> {
    fn size(&self) -> (u32, u32) {
        self.figure.size(self.plan, self.recording)
    }

    fn draw<DB: DrawingBackend>(&self, sheet: &mut Sheet<'_, DB>) {
        self.figure.draw(sheet, self.plan, self.recording);
    }
}

/// Something that can be drawn, in either form.
trait Drawing {
    /// Width and height in units of the drawing.
    fn size(&self) -> (u32, u32);

    /// Draws it.
    fn draw<DB: DrawingBackend>(&self, sheet: &mut Sheet<'_, DB>);

    fn svg(&self) -> String {
        register_font();
        let mut text = String::new();
        let (width, height) = self.size();
        let area = SVGBackend::with_string(&mut text, (width, height)).into_drawing_area();
        self.draw(&mut Sheet::new(&area, width, 1));
        // Writing into a text cannot fail.
        let _ = area.present();
        drop(area);
        text
    }

    fn png(&self) -> Vec<u8> {
        register_font();
        let (units, height) = self.size();
        let (width, height) = (units * PNG_SCALE, height * PNG_SCALE);
        let mut pixels = vec![255; (width * height * 3) as usize];
        {
            let backend =
                BitMapBackend::<RGBPixel>::with_buffer_and_format(&mut pixels, (width, height))
                    .expect("the buffer has three bytes for every pixel");
            let area = backend.into_drawing_area();
            self.draw(&mut Sheet::new(&area, units, PNG_SCALE));
            let _ = area.present();
        }
        encode(&pixels, width, height)
    }
}

fn register_font() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // The embedded font is one; without it texts would be missing, nothing else.
        let registered =
            plotters::style::register_font("sans-serif", FontStyle::Normal, FONT).is_ok();
        debug_assert!(registered, "the embedded font is a font");
    });
}

fn encode(pixels: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(pixels)?;
        writer.finish()
    });
    debug_assert!(written.is_ok(), "the buffer has the size the header says");
    bytes
}
