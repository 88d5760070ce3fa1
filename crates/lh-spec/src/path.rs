//! Paths as texts: joined and tidied without asking the file system.

/// The directory of the file at `path`: empty for a bare file name.
pub(crate) fn directory(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) => "/",
        Some(end) => &path[..end],
        None => "",
    }
}

/// `path` as seen from `directory`, without `.` and needless `..`; an absolute path stays.
pub(crate) fn join(directory: &str, path: &str) -> String {
    let whole = if path.starts_with('/') || directory.is_empty() {
        path.to_owned()
    } else {
        format!("{directory}/{path}")
    };
    let root = if whole.starts_with('/') { "/" } else { "" };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            part => parts.push(part),
        }
    }
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_file_that_names_them() {
        assert_eq!(join(directory("stacks/dev.yaml"), "base.yaml"), "stacks/base.yaml");
        assert_eq!(join(directory("dev.yaml"), ".lhctl/dev.json"), ".lhctl/dev.json");
        assert_eq!(join("stacks", "../shared/./base.yaml"), "shared/base.yaml");
        assert_eq!(join("stacks", "../../base.yaml"), "../base.yaml");
        assert_eq!(join("/a/b", "/c"), "/c");
        assert_eq!(join(directory("/dev.yaml"), "x"), "/x");
    }
}
