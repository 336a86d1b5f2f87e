//! Figures of a sweep.

use plotters::prelude::DrawingBackend;

use super::draw::Sheet;
use super::{Drawing, multiples, risk};
use crate::report::TuneReport;

/// A figure of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TuneFigure {
    /// Minutes of healthy instances that were missing against minutes of dead ones that were kept, a point
    /// for each setting.
    Risk,
    /// Registry size over time, a panel for each fault with a line for each setting.
    RegistrySize,
}

impl TuneFigure {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Risk, Self::RegistrySize];

    /// Its file's name, without extension.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Risk => "risk",
            Self::RegistrySize => "registry-size",
        }
    }

    /// The figure as SVG.
    #[must_use]
    pub fn svg(self, report: &TuneReport<'_>) -> String {
        OfSweep { figure: self, report }.svg()
    }

    /// The figure as PNG.
    #[must_use]
    pub fn png(self, report: &TuneReport<'_>) -> Vec<u8> {
        OfSweep { figure: self, report }.png()
    }
}

struct OfSweep<'a> {
    figure: TuneFigure,
    report: &'a TuneReport<'a>,
}

impl Drawing for OfSweep<'_> {
    fn size(&self) -> (u32, u32) {
        match self.figure {
            TuneFigure::Risk => risk::SIZE,
            TuneFigure::RegistrySize => multiples::size(self.report),
        }
    }

    fn draw<DB: DrawingBackend>(&self, sheet: &mut Sheet<'_, DB>) {
        match self.figure {
            TuneFigure::Risk => risk::draw(sheet, self.report),
            TuneFigure::RegistrySize => multiples::draw(sheet, self.report),
        }
    }
}
