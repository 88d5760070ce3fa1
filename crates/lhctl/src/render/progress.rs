//! Live progress: a spinner a step on a terminal, plain lines elsewhere; on standard error.

use std::{
    collections::BTreeMap,
    io::IsTerminal,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use lh::{Event, Events, StepId};

use crate::render::style;

/// How often a plain line repeats that something is still waited for.
const REPEAT: Duration = Duration::from_secs(10);

/// How often [`Progress::still_waiting`] is called while something is waited for.
pub(crate) const BEAT: Duration = Duration::from_secs(5);

/// The display. Cheap to tell; safe from any thread.
pub(crate) struct Progress {
    bars: Option<MultiProgress>,
    lines: Mutex<Lines>,
}

#[derive(Default)]
struct Lines {
    running: BTreeMap<StepId, Running>,
    reading: Option<(ProgressBar, Instant)>,
    /// The stage that the database is in, and when that was told last.
    readying: Option<(ProgressBar, String, Duration)>,
    /// Beats since anything was told, and what a terminal shows from the second on.
    quiet: (u32, Option<ProgressBar>),
    /// Whether the lock is waited for, and not AWS.
    locked: bool,
}

impl Lines {
    /// Something is told: what waited in silence has ended.
    fn heard(&mut self) {
        if let (_, Some(bar)) = std::mem::take(&mut self.quiet) {
            bar.finish_and_clear();
        }
    }
}

struct Running {
    bar: ProgressBar,
    state: String,
    began: Instant,
    told: Instant,
}

impl Progress {
    pub fn new() -> Self {
        let live = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { bars: live.then(MultiProgress::new), lines: Mutex::default() }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bar(&self, text: String) -> ProgressBar {
        let Some(bars) = &self.bars else { return ProgressBar::hidden() };
        let bar = bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(text);
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    /// Prints one line above the live ones.
    pub fn say(&self, text: &str) {
        match &self.bars {
            Some(bars) => bars.suspend(|| crate::say::errln!("{text}")),
            None => crate::say::errln!("{text}"),
        }
    }

    /// Takes the live lines away, before something else is printed.
    pub fn clear(&self) {
        let mut lines = self.lines();
        lines.heard();
        if let Some((bar, _)) = lines.reading.take() {
            bar.finish_and_clear();
        }
        for running in lines.running.values() {
            running.bar.finish_and_clear();
        }
        if let Some((bar, ..)) = lines.readying.take() {
            bar.finish_and_clear();
        }
    }

    /// The steps whose calls have no known end yet.
    pub fn in_flight(&self) -> Vec<String> {
        self.lines().running.keys().map(ToString::to_string).collect()
    }

    /// Says that something is still waited for; called at every [`BEAT`].
    pub fn still_waiting(&self) {
        let mut lines = self.lines();
        if lines.reading.is_none() && lines.running.is_empty() && lines.readying.is_none() {
            self.still_quiet(&mut lines);
        }
        if self.bars.is_some() {
            return;
        }
        if let Some((_, began)) = &lines.reading {
            crate::say::errln!("Still waiting for AWS to answer [{}].", seconds(began.elapsed()));
        }
        for (step, running) in &mut lines.running {
            if running.told.elapsed() >= REPEAT {
                running.told = Instant::now();
                crate::say::errln!("{step}: still {} [{}]", running.state, seconds(running.began.elapsed()));
            }
        }
    }

    /// Nothing was told yet, or nothing for a while: the state is read or written, or the lock is
    /// waited for. From the second beat on, since the first comes at once after a long question.
    fn still_quiet(&self, lines: &mut Lines) {
        lines.quiet.0 += 1;
        let (beats, what) = (lines.quiet.0, if lines.locked { "the lock" } else { "AWS to answer" });
        if beats < 2 {
            return;
        }
        if self.bars.is_none() {
            crate::say::errln!("Still waiting for {what} [{}].", seconds(BEAT * beats));
        } else if lines.quiet.1.is_none() {
            lines.quiet.1 = Some(self.bar(format!("Waiting for {what}")));
        }
    }

    fn looking(&self, targets: usize) {
        let mut lines = self.lines();
        if lines.reading.is_some() || !lines.running.is_empty() {
            return;
        }
        let text = format!("Reading AWS ({targets} resources and lookups)");
        if self.bars.is_none() {
            crate::say::errln!("{text}…");
        }
        lines.reading = Some((self.bar(text), Instant::now()));
    }

    fn started(&self, step: StepId) {
        let mut lines = self.lines();
        if let Some((bar, _)) = lines.reading.take() {
            bar.finish_and_clear();
        }
        let (bar, now) = (self.bar(step.to_string()), Instant::now());
        if self.bars.is_none() {
            crate::say::errln!("{step}…");
        }
        lines
            .running
            .insert(step, Running { bar, state: "waiting for the answer".to_owned(), began: now, told: now });
    }

    fn changed(&self, step: &StepId, state: String) {
        if let Some(running) = self.lines().running.get_mut(step).filter(|running| running.state != state) {
            running.bar.set_message(format!("{step}: {state}"));
            running.state = state;
        }
    }

    /// A line a stage on plain output, and one now and then while it lasts.
    fn readying(&self, stage: String, state: &str, elapsed: Duration) {
        let mut lines = self.lines();
        let text = format!("Waiting for the database, {stage}: {state}");
        match &mut lines.readying {
            Some((bar, last, told)) => {
                bar.set_message(text.clone());
                if *last == stage && elapsed.saturating_sub(*told) < 3 * REPEAT {
                    return;
                }
                (*last, *told) = (stage, elapsed);
            }
            None => lines.readying = Some((self.bar(text.clone()), stage, elapsed)),
        }
        if self.bars.is_none() {
            crate::say::errln!("{text} [{}]", seconds(elapsed));
        }
    }

    fn ended(&self, step: &StepId, text: &str) {
        if let Some(running) = self.lines().running.remove(step) {
            running.bar.finish_and_clear();
        }
        self.say(text);
    }
}

impl Events for Progress {
    fn tell(&self, event: Event) {
        let mut lines = self.lines();
        lines.heard();
        lines.locked = matches!(event, Event::AwaitingLock { .. });
        drop(lines);
        match event {
            Event::AwaitingLock { holder, longest } => self.say(&format!(
                "The state is locked by {} (`{}`, since {}): watching for at most {} whether that run is alive.",
                holder.who,
                holder.operation,
                holder.since,
                seconds(longest)
            )),
            Event::Looking { targets } => self.looking(targets),
            Event::Settling { open: 1 } => {
                self.say("An earlier run was interrupted; its one open change is settled first.")
            }
            Event::Settling { open } => self
                .say(&format!("An earlier run was interrupted; its {open} open changes are settled first.")),
            Event::Unseen { address } => {
                self.say(&format!("{address} may exist, but AWS does not show it: looking again."))
            }
            Event::Started(step) => self.started(step),
            Event::Retrying { step, why } => self.changed(&step, format!("waiting: {why}")),
            Event::Waiting { step, state, .. } => self.changed(&step, state),
            Event::Finished { step, id, elapsed } => {
                let id = id.map(|id| format!(" {id}")).unwrap_or_default();
                self.ended(&step, &format!("{} {step}{id} [{}]", style::good("✓"), seconds(elapsed)));
            }
            Event::Failed { step, .. } => self.ended(&step, &format!("{} {step} failed", style::error("✗"))),
            Event::Readying { stage, state, elapsed } => self.readying(stage, &state, elapsed),
            Event::Stopping { in_flight } => {
                self.say(&format!(
                    "No new step begins; {in_flight} calls in flight are finished and recorded."
                ));
            }
            Event::Saved { .. } => {}
        }
    }
}

fn seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs())
}
