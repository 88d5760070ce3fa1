//! A reader over one section of the file: asked key by key, it reports what does not fit and
//! reads on, so that all mistakes of a file are found in one go.

use lh_model::{Diagnostic, Origin};

use crate::{
    codes,
    findings::Findings,
    spelling::{listed, nearest},
    stack::Placed,
    yaml::{Entry, Node, Scalar, Yaml},
};

/// A finding without its place, which the reader adds.
pub(crate) type Checked<T> = Result<T, Box<Diagnostic>>;

/// One mapping of the file, and what was asked of it so far.
pub(crate) struct Section<'a> {
    path: String,
    origin: Origin,
    entries: &'a [Entry],
    known: Vec<&'static str>,
    findings: &'a Findings,
}

impl<'a> Section<'a> {
    /// The whole file.
    pub(crate) fn root(node: &'a Node, findings: &'a Findings) -> Self {
        let origin = Origin { length: 1, ..node.origin.clone() };
        Self::over(node, String::new(), origin, findings)
    }

    /// The mapping `node`, found at `path` under a key at `origin`; anything else reads as empty.
    pub(crate) fn over(node: &'a Node, path: String, origin: Origin, findings: &'a Findings) -> Self {
        let entries = match &node.value {
            Yaml::Map(entries) => entries.as_slice(),
            _ => &[],
        };
        Self { path, origin, entries, known: Vec::new(), findings }
    }

    /// Where the section's key stands: the place of what the section leaves out.
    pub(crate) fn origin(&self) -> Origin {
        self.origin.clone()
    }

    /// Where `key` stands, or the section where it is not given.
    pub(crate) fn origin_of(&self, key: &str) -> Origin {
        let entry = self.entries.iter().find(|entry| entry.key == key);
        entry.map_or_else(|| self.origin(), |entry| entry.origin.clone())
    }

    /// All entries, for a section whose keys are the user's own.
    pub(crate) fn entries(&self) -> &'a [Entry] {
        self.entries
    }

    /// The mapping `node`, an item of the list under `key`.
    pub(crate) fn inner<'b>(&self, key: &str, node: &'b Node) -> Section<'b>
    where
        'a: 'b,
    {
        let origin = Origin { length: 1, ..node.origin.clone() };
        Section::over(node, format!("{}[]", self.name_of(key)), origin, self.findings)
    }

    pub(crate) fn report(&self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    /// `volume.size` for `size` in the section `volume`.
    pub(crate) fn name_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Whether `key` is given, even wrongly. An explicit null counts as not given.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key && !entry.node.is_null())
    }

    /// The entry of `key`, which is known from now on.
    pub(crate) fn entry(&mut self, key: &'static str) -> Option<&'a Entry> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let entries = self.entries;
        let entry = entries.iter().find(|entry| entry.key == key)?;
        (!entry.node.is_null() && entry.node.value != Yaml::Broken).then_some(entry)
    }

    /// Reports `key` where it is not given; `why` says what it is for, `example` how it looks.
    pub(crate) fn require(&mut self, key: &'static str, why: &str, example: &str) {
        if !self.has(key) {
            let name = self.name_of(key);
            let place =
                if self.path.is_empty() { "the stack file".into() } else { format!("`{}`", self.path) };
            self.report(
                Diagnostic::error(codes::MISSING_KEY, format!("`{name}` is missing"))
                    .at(self.origin_of(key))
                    .because(why)
                    .fix(format!("Add `{example}` to {place}.")),
            );
        }
    }

    /// The scalar under `key`.
    fn scalar(&mut self, key: &'static str, expected: &str, example: &str) -> Option<(&'a Scalar, Origin)> {
        let entry = self.entry(key)?;
        match &entry.node.value {
            Yaml::Scalar(scalar) => Some((scalar, entry.node.origin.clone())),
            _ => {
                self.report(wrong_type(&self.name_of(key), &entry.node, expected, example));
                None
            }
        }
    }

    /// The text under `key`, as `parse` understands it.
    pub(crate) fn parsed<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Checked<T>,
    ) -> Option<Placed<T>> {
        let (scalar, origin) = self.scalar(key, "one text", &format!("{key}: …"))?;
        match parse(&scalar.text) {
            Ok(value) => Some(Placed { value, origin }),
            Err(finding) => {
                self.report(finding.at(origin));
                None
            }
        }
    }

    /// The text under `key`, where `check` has nothing against it.
    pub(crate) fn text(
        &mut self,
        key: &'static str,
        check: impl FnOnce(&str) -> Checked<()>,
    ) -> Option<Placed<String>> {
        self.parsed(key, |text| check(text).map(|()| text.to_owned()))
    }

    /// The one of `choices` under `key`.
    pub(crate) fn choice<T: Clone>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
    ) -> Option<Placed<T>> {
        let name = self.name_of(key);
        self.parsed(key, |text| choose(&name, key, text, choices))
    }

    /// The boolean under `key`: `true` or `false`, as YAML 1.2 has them.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<Placed<bool>> {
        let name = self.name_of(key);
        let (scalar, origin) = self.scalar(key, "`true` or `false`", &format!("{key}: true"))?;
        let value = match scalar.text.as_str() {
            "true" | "True" | "TRUE" => true,
            "false" | "False" | "FALSE" => false,
            other => {
                let meant = !matches!(other.to_lowercase().as_str(), "no" | "off" | "n");
                self.report(
                    Diagnostic::error(codes::WRONG_TYPE, format!("`{name}` is neither `true` nor `false`"))
                        .at(origin)
                        .because(format!(
                            "`{}` is a text; YAML 1.2 knows no other words for yes and no",
                            clip(other)
                        ))
                        .fix(format!("Write `{key}: {meant}`.")),
                );
                return None;
            }
        };
        Some(Placed { value, origin })
    }

    /// The whole number under `key`, counted in `unit`, where `check` has nothing against it.
    pub(crate) fn whole(
        &mut self,
        key: &'static str,
        unit: &str,
        check: impl FnOnce(u32) -> Checked<()>,
    ) -> Option<Placed<u32>> {
        let name = self.name_of(key);
        let (scalar, origin) = self.scalar(key, "a whole number", &format!("{key}: 30"))?;
        let Ok(value) = scalar.text.parse::<u32>() else {
            self.report(not_whole(&name, key, &scalar.text, unit).at(origin));
            return None;
        };
        match check(value) {
            Ok(()) => Some(Placed { value, origin }),
            Err(finding) => {
                self.report(finding.at(origin));
                None
            }
        }
    }

    /// The items of the list under `key`.
    pub(crate) fn list(&mut self, key: &'static str) -> Option<&'a [Node]> {
        let entry = self.entry(key)?;
        match &entry.node.value {
            Yaml::List(items) => Some(items),
            other => {
                let example = match other {
                    Yaml::Scalar(scalar) => format!("{key}: [{}]", clip(&scalar.text)),
                    _ => format!("{key}: […]"),
                };
                self.report(wrong_type(&self.name_of(key), &entry.node, "a list", &example));
                None
            }
        }
    }

    /// The texts of the list under `key`, each as `parse` understands it.
    pub(crate) fn texts<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Checked<T>,
    ) -> Vec<Placed<T>> {
        let name = self.name_of(key);
        let mut texts = Vec::new();
        for item in self.list(key).unwrap_or_default() {
            match &item.value {
                Yaml::Scalar(scalar) => match parse(&scalar.text) {
                    Ok(value) => texts.push(Placed { value, origin: item.origin.clone() }),
                    Err(finding) => self.report(finding.at(item.origin.clone())),
                },
                Yaml::Broken => {}
                _ => self.report(wrong_type(
                    &format!("An item of `{name}`"),
                    item,
                    "one text",
                    &format!("{key}: [a, b]"),
                )),
            }
        }
        texts
    }

    /// The section under `key`.
    pub(crate) fn section(&mut self, key: &'static str, example: &str) -> Option<Section<'a>> {
        let entry = self.entry(key)?;
        let path = self.name_of(key);
        match &entry.node.value {
            Yaml::Map(_) => Some(Section::over(&entry.node, path, entry.origin.clone(), self.findings)),
            _ => {
                self.report(wrong_type(&path, &entry.node, "a section of keys", example));
                None
            }
        }
    }

    /// Reports that `first` and `second` are both given, where they are.
    pub(crate) fn exclude(&self, first: &str, second: &str, reason: &str) {
        if self.has(first) && self.has(second) {
            let (a, b) = (self.name_of(first), self.name_of(second));
            self.report(
                Diagnostic::error(codes::EXCLUSIVE, format!("`{a}` and `{b}` exclude each other"))
                    .at(self.origin_of(second))
                    .because(reason)
                    .fix(format!(
                        "Keep one of them; where a base file sets the other, write `{first}: null`."
                    )),
            );
        }
    }

    /// Reports all keys that nobody asked for.
    pub(crate) fn finish(self) {
        for entry in self.entries {
            if !self.known.contains(&entry.key.as_str()) {
                self.report(self.unknown(entry));
            }
        }
    }

    fn unknown(&self, entry: &Entry) -> Diagnostic {
        let known = listed(&self.known);
        let place = if self.path.is_empty() { "A stack file".into() } else { format!("`{}`", self.path) };
        let fix = match nearest(&entry.key, self.known.iter().copied()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => "Remove it, or move it to the section it belongs to.".to_owned(),
        };
        Diagnostic::error(
            codes::UNKNOWN_KEY,
            format!("`{}` is not a known key", clip(&self.name_of(&entry.key))),
        )
        .at(entry.origin.clone())
        .because(format!("{place} has the keys {known}"))
        .fix(fix)
    }
}

fn choose<T: Clone>(name: &str, key: &str, text: &str, choices: &[(&'static str, T)]) -> Checked<T> {
    if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
        return Ok(value.clone());
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    let fix = match nearest(text, words.iter().copied()) {
        Some(near) => format!("Write `{key}: {near}`."),
        None => format!("Write one of {}.", listed(&words)),
    };
    Err(Box::new(
        Diagnostic::error(codes::NOT_A_CHOICE, format!("`{name}` cannot be `{}`", clip(text)))
            .because(format!("The choices are {}", listed(&words)))
            .fix(fix),
    ))
}

/// The finding that `node`, the value of `name`, is not `expected`.
pub(crate) fn wrong_type(name: &str, node: &Node, expected: &str, example: &str) -> Diagnostic {
    let found = match &node.value {
        Yaml::Scalar(scalar) => format!("the text `{}`", clip(&scalar.text)),
        Yaml::List(_) => "a list".to_owned(),
        Yaml::Map(_) | Yaml::Broken => "a mapping of keys".to_owned(),
    };
    let name = if name.contains(' ') { name.to_owned() } else { format!("`{name}`") };
    Diagnostic::error(codes::WRONG_TYPE, format!("{name} has the wrong type"))
        .at(node.origin.clone())
        .because(format!("Here stands {found}, where {expected} is expected"))
        .fix(format!("Write it as `{example}`."))
}

fn not_whole(name: &str, key: &str, text: &str, unit: &str) -> Diagnostic {
    let digits: String = text.trim().chars().take_while(char::is_ascii_digit).take(9).collect();
    let fix = if digits.is_empty() {
        format!("Write a whole number, such as `{key}: 30`; it is counted in {unit}.")
    } else {
        format!("Write `{key}: {digits}`; it is counted in {unit}.")
    };
    Diagnostic::error(codes::WRONG_TYPE, format!("`{name}` is not a whole number"))
        .because(format!(
            "Here stands `{}`; the number is written alone, without sign, unit or separators",
            clip(text)
        ))
        .fix(fix)
}

/// A text short enough for a message.
pub(crate) fn clip(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() > 80 { line.chars().take(79).chain(['…']).collect() } else { line.to_owned() }
}
