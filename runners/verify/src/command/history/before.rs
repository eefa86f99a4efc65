//! What earlier runs measured, for the record of a run that ends now.
//!
//! A report shows it; nothing is judged by it. So an index that is missing, damaged or in use is no
//! word worth: there are no trends then. It is looked at when everything has been measured.

use verify_engine::history::{Index, Trends};
use verify_model::{event::Event, trend::Trend};

/// Gathers what was measured before.
#[derive(Debug, Default)]
pub(crate) struct Before {
    trends: Trends,
}

impl Before {
    /// Notes what the run says.
    pub(crate) fn hear(&mut self, event: &Event) {
        self.trends.hear(event);
    }

    /// Says what was measured before; nothing where that is not known.
    pub(crate) fn told(self) -> Vec<Trend> {
        let index = crate::place::store().ok().and_then(|store| Index::glance(&store));
        index.and_then(|index| self.trends.told(&index).ok()).unwrap_or_default()
    }
}
