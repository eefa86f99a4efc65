//! Words that go to a node and come back, one after the other.

use std::time::{Duration, Instant};

use verify_engine::transport::{Cancel, Transport};
use verify_model::{
    ask::Ask,
    evidence::{Captured, FailureKind, Round},
};

use crate::{all, end, kind, server::Server, shell, ssh, stdout};

fn echo(rounds: u32) -> Ask {
    Ask::Echo { rounds, limit_ms: 30_000 }
}

fn rounds(captured: &Captured) -> &[Round] {
    match captured {
        Captured::Rounds(rounds) => rounds,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_word_comes_back_with_the_time_that_it_is_over_there() {
    for shell in ["/bin/sh", "/usr/bin/zsh", "/usr/bin/fish"] {
        if crate::program(shell.rsplit('/').next().unwrap()).is_none() {
            crate::skipped(shell);
            continue;
        }
        let Some(server) = Server::start(shell, "") else { return };
        let found = all(&ssh(&server, true), &[echo(20)], &Cancel::default());
        let found = rounds(&found[0]);
        assert_eq!(found.len(), 20, "{shell}");
        for round in found {
            // It is this machine's own clock: the answer lies within the round, to the microsecond.
            let back = round.sent_us + round.elapsed_ns / 1000;
            assert!((round.sent_us..=back + 1).contains(&round.said_us), "{shell}: {round:?}");
        }
        assert!(found.windows(2).all(|two| two[0].said_us <= two[1].said_us));
    }
}

#[test]
fn words_go_alone_and_the_other_asks_are_answered_beside_them() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    let asks = [echo(3), shell("echo here", 5_000), echo(2)];
    let found = all(&ssh(&server, true), &asks, &Cancel::default());
    assert_eq!((rounds(&found[0]).len(), rounds(&found[2]).len()), (3, 2));
    assert_eq!(stdout(&found[1]), "here\n");
}

#[test]
fn a_connection_that_ends_between_two_words_is_lost_and_an_interrupt_ends_them() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    let long = Ask::Echo { rounds: 1_000_000, limit_ms: 60_000 };
    let lost = std::thread::scope(|scope| {
        let asked = scope
            .spawn(|| all(&ssh(&server, false), std::slice::from_ref(&long), &Cancel::default()));
        server.wait_for("bash");
        server.sessions().into_iter().for_each(end);
        asked.join().unwrap()
    });
    assert_eq!(kind(&lost[0]), FailureKind::ConnectionLost, "{lost:?}");
    let cancel = Cancel::default();
    #[allow(clippy::disallowed_methods, reason = "an interrupt is not to be waited for")]
    let begun = Instant::now();
    let interrupted = std::thread::scope(|scope| {
        let asked = scope.spawn(|| all(&ssh(&server, false), std::slice::from_ref(&long), &cancel));
        server.wait_for("bash");
        cancel.request();
        asked.join().unwrap()
    });
    assert_eq!(kind(&interrupted[0]), FailureKind::Interrupted);
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn the_machine_that_asks_itself_has_no_way_between() {
    let local = verify_engine::transport::Local::new("echo");
    assert_eq!(kind(&local.gather(&echo(3), &Cancel::default())), FailureKind::Unsupported);
}
