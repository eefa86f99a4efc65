//! Whether what ships notices what it is for: faults of a published catalogue, injected below it.
//!
//! Reading order: `catalogue` (what goes wrong, and what must be said of it), `healthy` (the answers of
//! machines that lack nothing), `edit` (how answers are made wrong), `play` (one run of the real plan,
//! probe, judge and settle on such answers), `proof` (fault beside control), `damage` (broken
//! answers, given to every check). Nothing here knows what a check means, and no machine is asked.

mod catalogue;
mod crew;
mod damage;
mod edit;
mod embedded;
mod healthy;
mod play;
mod proof;

pub use catalogue::{Catalogue, Expected, Fault, Group};
pub use damage::{DAMAGES, Damage, Hit, Struck};
pub use edit::Edit;
pub use healthy::Machine;
pub use proof::{Found, Ground, Proof, Seen};
