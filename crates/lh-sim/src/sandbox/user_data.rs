//! What a host is told at its first boot, read back from its user data: the files that cloud-init
//! would write. Not a reader of YAML: it knows the form in which lhctl writes user data, and what
//! it does not know is no host of lhctl's.

/// A file of `write_files`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// Where it goes on the host.
    pub path: String,
    /// What is in it.
    pub content: Content,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Its text.
    Plain(String),
    /// Its text after gzip and base64.
    Packed(String),
}

/// The files of the user data; none where it is not lhctl's.
pub(super) fn files(user_data: &[u8]) -> Option<Vec<Written>> {
    let text = std::str::from_utf8(user_data).ok()?;
    let (_, files) = text.strip_prefix("#cloud-config\n")?.split_once("write_files:\n")?;
    let mut written = Vec::new();
    let mut lines = files.lines().peekable();
    while let Some(path) = lines.next_if(|line| line.starts_with("- path: ")) {
        let path = path.strip_prefix("- path: ")?.to_owned();
        let mut packed = false;
        let content = loop {
            let key = lines.next()?.strip_prefix("  ")?;
            match key.split_once(": ")? {
                ("permissions", _) => {}
                ("encoding", how) => packed = how == "gz+b64",
                ("content", "|") => {
                    let mut text = String::new();
                    while let Some(line) = lines.next_if(|line| line.is_empty() || line.starts_with("    ")) {
                        text.push_str(line.get(4..).unwrap_or_default());
                        text.push('\n');
                    }
                    break Content::Plain(text);
                }
                ("content", text) if packed => break Content::Packed(text.to_owned()),
                _ => return None,
            }
        };
        written.push(Written { path, content });
    }
    (!written.is_empty()).then_some(written)
}

/// The value of a shell assignment `NAME=value` or `NAME='value'` in a file of them.
pub(super) fn assigned<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
    Some(line.trim_matches('\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_lhctls_is_no_host() {
        for text in
            ["", "#!/bin/bash\n", "#cloud-config\n", "#cloud-config\nwrite_files:\n- path: /a\n  owner: x\n"]
        {
            assert_eq!(files(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn plain_and_packed_files_are_read() {
        let text = "#cloud-config\n# about\nwrite_files:\n- path: /a\n  content: |\n    A='1'\n\n    B=2\n- path: /b\n  permissions: '0755'\n  encoding: gz+b64\n  content: H4sI\nruncmd:\n- [/b]\n";
        let read = files(text.as_bytes()).unwrap();
        assert_eq!(read[0].content, Content::Plain("A='1'\n\nB=2\n".to_owned()));
        assert_eq!(read[1], Written { path: "/b".to_owned(), content: Content::Packed("H4sI".to_owned()) });
        assert_eq!((assigned("A='1'\n\nB=2\n", "A"), assigned("A='1'\nB=2\n", "B")), (Some("1"), Some("2")));
    }
}
