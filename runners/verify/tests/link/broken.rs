//! Whatever breaks in the middle: an error that names it, nothing left on either end, and the next
//! measurement works at once.

use std::{
    process::{Child, Stdio},
    time::Duration,
};

use rustix::process::{Signal, kill_process};

use crate::lab::{
    Lab, Measured,
    Side::{A, B},
};

const SOON: Duration = Duration::from_secs(2);

/// Makes a lab with a slow cable, so that what runs takes no cpu from anybody.
fn slow() -> Option<Lab> {
    let lab = Lab::new()?;
    lab.shape(A, "100mbit");
    lab.shape(B, "100mbit");
    Some(lab)
}

/// Begins a measurement that takes long.
fn begin(lab: &Lab) -> Child {
    lab.expect("seconds = 20, idle = \"0 %\"", "throughput = { at-least = \"1 kbit/s\" }");
    let mut verify = lab.verify(&["--node", "a"]);
    verify.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn end(lab: &Lab, verify: Child) -> Measured {
    Measured::of(lab, &verify.wait_with_output().unwrap())
}

/// Demands that a short measurement works at once, and that nothing of it is left.
fn the_next_one_works(lab: &Lab) {
    lab.expect("seconds = 1, idle = \"0 %\"", "throughput = { at-least = \"1 kbit/s\" }");
    lab.measure().gives(0, &["pass net/throughput"]);
    lab.is_empty_within(SOON);
}

#[test]
fn a_server_that_dies_is_an_error() {
    let Some(lab) = slow() else { return };
    let verify = begin(&lab);
    lab.await_program(A, "-c");
    kill_process(lab.await_program(B, "-s"), Signal::KILL).unwrap();
    end(&lab, verify).gives(3, &["error net/throughput", "a: iperf3: "]);
    lab.is_empty_within(SOON);
    the_next_one_works(&lab);
}

#[test]
fn a_client_that_vanishes_does_not_block_the_next_one() {
    let Some(lab) = slow() else { return };
    let verify = begin(&lab);
    kill_process(lab.await_program(A, "-c"), Signal::KILL).unwrap();
    end(&lab, verify).gives(3, &["error net/throughput", "printed no result"]);
    lab.is_empty_within(SOON);
    the_next_one_works(&lab);
}

#[test]
fn a_peer_that_is_lost_is_named() {
    let Some(lab) = slow() else { return };
    let verify = begin(&lab);
    lab.await_program(A, "-c");
    // All at once, as when the machine loses its power.
    for _ in 0..3 {
        for (pid, _) in lab.programs(B) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    end(&lab, verify).gives(3, &["error net/throughput", "b: the connection ended"]);
    lab.is_empty_within(SOON);
    the_next_one_works(&lab);
}

#[test]
fn nothing_outlives_a_harness_that_is_killed() {
    let Some(lab) = slow() else { return };
    let mut verify = begin(&lab);
    lab.await_program(A, "-c");
    lab.await_program(B, "-s");
    // `nsenter` became the command itself: the pid is its own.
    verify.kill().unwrap();
    verify.wait().unwrap();
    lab.is_empty_within(SOON);
    the_next_one_works(&lab);
}

#[test]
fn an_interrupt_ends_both_ends() {
    let Some(lab) = slow() else { return };
    let verify = begin(&lab);
    lab.await_program(A, "-c");
    let pid = rustix::process::Pid::from_raw(i32::try_from(verify.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    end(&lab, verify).gives(130, &["interrupted"]);
    lab.is_empty_within(Duration::from_secs(1));
    the_next_one_works(&lab);
}

/// Stands before iperf3 and says that the server is busy, some times.
fn says_busy(lab: &Lab, times: u32) {
    let script = format!(
        "#!/bin/sh\nN=$(cat {0}/busy 2>/dev/null || echo 0)\ncase \" $* \" in *' -c '*) if [ $N -lt {times} ]; then echo $((N + 1)) >{0}/busy\n\
         echo '{{\"start\":{{}},\"intervals\":[],\"end\":{{}},\"error\":\"the server is busy running a test. try again later\"}}'\nexit 0; fi ;; esac\n\
         PATH=${{PATH#{0}/bin:}}; exec iperf3 \"$@\"\n",
        lab.dir().display()
    );
    lab.program("iperf3", &script);
}

#[test]
fn a_server_that_is_busy_is_tried_on_another_port_and_never_fails() {
    let Some(lab) = slow() else { return };
    lab.expect("seconds = 1, idle = \"0 %\"", "throughput = { at-least = \"1 kbit/s\" }");
    says_busy(&lab, 1);
    lab.measure().gives(0, &["pass net/throughput"]);
    lab.write("busy", "0");
    says_busy(&lab, 1000);
    lab.measure().gives(
        3,
        &["error net/throughput", "b: somebody else used the server each time, on 3 ports"],
    );
    lab.is_empty_within(SOON);
}
