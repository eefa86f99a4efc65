//! How long it takes to start the smallest kernel and to learn that it is done.

use super::{
    context::{Context, Stream},
    library::Trouble,
    program::Program,
    timing::by_host,
};

/// Starts that are not counted: the first ones load the code.
const WARM_UP: u32 = 20;
const STARTS: u32 = 200;

/// Measures each start. *Units*: us.
pub(super) fn measure(context: &Context<'_>) -> Result<Vec<f64>, Trouble> {
    let program = Program::load(context)?;
    let stream = Stream::take(context)?;
    let start = |_: u32| {
        by_host(|| {
            program.launch_one(&stream, c"nothing", &[])?;
            stream.finish()
        })
    };
    for at in 0..WARM_UP {
        start(at)?;
    }
    (0..STARTS).map(|at| Ok(start(at)? * 1e6)).collect()
}
