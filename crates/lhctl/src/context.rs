//! What commands share: finding stacks, choosing the cloud, asking, and Ctrl-C.

use std::{
    io::{BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    time::Duration,
};

use lh::{Cloud, Deployment, Plaintext, Reached, Stack, Stop, db::DatabaseUrl};
use tokio::time::MissedTickBehavior;

use crate::{
    args::Global,
    failure::{Code, Failure},
    render::{
        diagnostic,
        progress::{BEAT, Progress},
        style,
    },
};

/// How often the wish to stop is looked at while somebody is asked.
const HEARING: Duration = Duration::from_millis(50);

/// Where the simulated AWS is kept.
pub(crate) const LOCAL: &str = ".lhctl/local";

/// A deployment with its progress display.
pub(crate) struct Work {
    pub deployment: Deployment,
    pub progress: Arc<Progress>,
}

/// Loads every stack and connects it; stacks of one cloud are then asked for together. All
/// mistakes of all files are told.
pub(crate) fn open_all(files: &[PathBuf], global: &Global) -> Result<Vec<Work>, Failure> {
    let (mut stacks, mut failure) = (Vec::new(), None);
    for file in files {
        match load(file, global) {
            Ok(stack) => stacks.push(stack),
            Err(error) => {
                if let Some(earlier) = failure.replace(error) {
                    let _ = earlier.report();
                }
            }
        }
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    let (cloud, progress) = (cloud(global)?, Arc::new(Progress::new()));
    Ok(stacks.into_iter().map(|stack| Work::new(stack, cloud.clone(), &progress)).collect())
}

/// Loads the stack at `file` and connects it to its cloud.
pub(crate) fn open(file: &Path, global: &Global) -> Result<Work, Failure> {
    connect(load(file, global)?, global)
}

/// Loads the stack at `file` and tells what is doubtful in it.
pub(crate) fn load(file: &Path, global: &Global) -> Result<Stack, Failure> {
    let stack = Stack::load(&file.to_string_lossy(), &global.set)?;
    if !stack.warnings().is_empty() {
        crate::say::errln!("{}", diagnostic::render(stack.warnings(), stack.sources()));
    }
    Ok(stack)
}

fn cloud(global: &Global) -> Result<Cloud, Failure> {
    Ok(if global.local { Cloud::local(Path::new(LOCAL))? } else { Cloud::aws() })
}

impl Work {
    fn new(stack: Stack, cloud: Cloud, progress: &Arc<Progress>) -> Self {
        let deployment = Deployment::new(stack, cloud).telling(progress.clone());
        Self { deployment, progress: progress.clone() }
    }
}

/// Connects `stack` to its cloud.
pub(crate) fn connect(stack: Stack, global: &Global) -> Result<Work, Failure> {
    Ok(Work::new(stack, cloud(global)?, &Arc::new(Progress::new())))
}

/// A database to work on.
#[derive(clap::Args, Clone)]
pub(crate) struct Target {
    /// The stack file; not needed with a database URL
    #[arg(value_name = "STACK")]
    pub stack: Option<PathBuf>,
    /// Another database than the stack's; DATABASE_URL does the same, and is seen by fewer eyes
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
}

/// A database, and the stack it was named by.
pub(crate) struct Database {
    pub reached: Reached,
    pub stack: Option<Stack>,
}

impl Database {
    pub fn url(&self) -> &DatabaseUrl {
        &self.reached.url
    }
}

/// The refusal to go on without knowing where.
pub(crate) fn no_database() -> Failure {
    Failure::plain("No database was named.").fix("Name a stack file, or give --database-url or DATABASE_URL.")
}

impl Target {
    /// The stack, if one was named.
    pub fn stack(&self, global: &Global) -> Result<Option<Stack>, Failure> {
        let load = |file: &PathBuf| Stack::load(&file.to_string_lossy(), &global.set);
        Ok(self.stack.as_ref().map(load).transpose()?)
    }

    /// The URL that names the database, if one does.
    pub fn url(&self) -> Option<String> {
        let given = self.database_url.clone().or_else(|| std::env::var("DATABASE_URL").ok());
        given.filter(|text| !text.is_empty())
    }

    /// Whether a URL names the database.
    pub fn is_by_url(&self) -> bool {
        self.url().is_some()
    }

    /// Where the database is: as the URL says, without AWS; else as the stack's outputs say.
    pub async fn find(&self, stack: Option<Stack>, global: &Global) -> Result<Database, Failure> {
        if let Some(text) = self.url() {
            let url = DatabaseUrl::new(Plaintext::new(text)).map_err(lh::Error::from)?;
            return Ok(Database { reached: Reached { url, tunnel: None }, stack });
        }
        let Some(stack) = stack else {
            return Err(no_database());
        };
        let work = connect(stack.clone(), global)?;
        let reached = watched(&work.progress, work.deployment.reach_database()).await;
        work.progress.clear();
        let reached = reached?;
        if let Some(tunnel) = &reached.tunnel {
            crate::say::errln!("The database is reached through {}.", tunnel.way());
        }
        Ok(Database { reached, stack: Some(stack) })
    }
}

/// The files given, or every stack in `stacks/`.
pub(crate) fn stack_files(given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    let entries = std::fs::read_dir("stacks").map_err(|error| {
        Failure::plain(format!("No stack file was named, and the folder stacks/ cannot be read: {error}."))
            .fix("Name a file, as in `lhctl plan stacks/dev.yaml`, or write one with `lhctl init NAME`.")
    })?;
    let is_stack = |path: &PathBuf| path.extension().is_some_and(|e| e == "yaml" || e == "yml");
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_stack).collect();
    files.sort();
    if files.is_empty() {
        return Err(
            Failure::plain("The folder stacks/ has no stack file.").fix("Write one with `lhctl init NAME`.")
        );
    }
    Ok(files)
}

/// Whether somebody sits at a terminal and can be asked.
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Whether somebody is being asked, and whether Ctrl-C was the answer.
static IS_ASKING: AtomicBool = AtomicBool::new(false);
static WAS_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Asks `question`; true only for exactly `expected`. Where Ctrl-C is watched for, it is an answer
/// too, at once.
pub(crate) fn ask(question: &str, expected: &str) -> bool {
    crate::say::err(format_args!("{} ", style::bold(question)));
    let _ = std::io::stderr().flush();
    IS_ASKING.store(true, Ordering::SeqCst);
    // Reading a terminal cannot be given up: it is left to a thread that ends with the process.
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        let _ = tell.send(read.map(|_| answer));
    });
    let answer = loop {
        match told.recv_timeout(HEARING) {
            Ok(answer) => break answer.ok(),
            Err(RecvTimeoutError::Timeout) if !WAS_INTERRUPTED.load(Ordering::SeqCst) => {}
            Err(_) => break None,
        }
    };
    IS_ASKING.store(false, Ordering::SeqCst);
    answer.is_some_and(|answer| answer.trim() == expected)
}

/// Notes Ctrl-C; true if it was the answer to a question.
pub(crate) fn note_interrupt() -> bool {
    WAS_INTERRUPTED.store(true, Ordering::SeqCst);
    let is_asking = IS_ASKING.load(Ordering::SeqCst);
    if is_asking {
        // The terminal shows `^C` on the question's line.
        crate::say::errln!("");
    }
    is_asking
}

/// What a question that was not answered with yes ends with.
pub(crate) fn not_done() -> Failure {
    if WAS_INTERRUPTED.load(Ordering::SeqCst) {
        return Failure::plain("Interrupted at the question. Nothing was changed.").code(Code::Interrupted);
    }
    Failure::plain("Not approved. Nothing was changed.").code(Code::Refused)
}

/// The refusal to change something without anybody to ask.
pub(crate) fn not_approved(command: &str) -> Failure {
    Failure::plain(format!(
        "`lhctl {command}` asks before it changes anything, and there is no terminal to ask on. Nothing was changed."
    ))
    .code(Code::Refused)
    .fix("Add --auto-approve.")
}

impl Work {
    /// What `work` answers, which is a question that shows nothing but its answer.
    pub async fn ask<T>(&self, work: impl Future<Output = T>) -> T {
        let answer = watched(&self.progress, work).await;
        self.progress.clear();
        answer
    }
}

/// Runs `work`; says every few seconds that AWS is still waited for, so that no wait is silent.
pub(crate) async fn watched<T>(progress: &Progress, work: impl Future<Output = T>) -> T {
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat.tick().await;
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = beat.tick() => progress.still_waiting(),
        }
    }
}

/// Watches for Ctrl-C: the first asks the run to stop, the second leaves at once.
pub(crate) fn watch_interrupts(stop: Stop, progress: Arc<Progress>) {
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        stop.ask();
        if !note_interrupt() {
            progress.say(
                "Interrupted: finishing the calls in flight and saving. Press Ctrl-C again to leave at once.",
            );
        }
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        let left = progress.in_flight();
        progress.say(&if left.is_empty() {
            "Left at once. What was done is in the journal; the next apply goes on from there.".to_owned()
        } else {
            format!(
                "Left at once, without the answer to: {}. The next apply finds out what became of them before it does anything else.",
                left.join(", ")
            )
        });
        std::process::exit(Code::Interrupted.number().into());
    });
}
