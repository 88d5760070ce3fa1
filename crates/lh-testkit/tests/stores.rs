//! Every store keeps the one contract; and what only files can suffer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

use std::{fs, io::Write, path::Path};

use lh_engine::store::{local::LocalStore, memory::MemoryStore};
use lh_state::{Journal, Lease, Snapshots, StoreError, decode};
use lh_testkit::{bench::holder, store_contract};

fn append_raw(path: &Path, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    let store = MemoryStore::new();
    store_contract::check(&store, &store.clone()).await;
}

#[tokio::test]
async fn a_local_file_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/when/needed/dev.json");
    store_contract::check(&LocalStore::new(&path), &LocalStore::new(&path)).await;
}

#[tokio::test]
async fn reading_makes_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::new(folder.path().join("deep/dev.json"));
    assert_eq!(store.load().await.unwrap(), (None, None));
    assert!(store.since(0).await.unwrap().is_empty());
    assert!(!folder.path().join("deep").exists());
}

#[tokio::test]
async fn a_line_cut_off_at_any_byte_is_no_entry_and_blocks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dev.json");
    let journal = folder.path().join("dev.json.journal");
    let store = LocalStore::new(&path);
    let (whole, torn) = (store_contract::entry(0, 0, "whole"), store_contract::entry(0, 1, "tört"));
    let line = serde_json::to_vec(&torn).unwrap();
    for length in 0..=line.len() {
        fs::remove_file(&journal).ok();
        store.append(std::slice::from_ref(&whole)).await.unwrap();
        append_raw(&journal, &line[..length]);
        assert_eq!(
            store.since(0).await.unwrap(),
            std::slice::from_ref(&whole),
            "cut off after {length} bytes"
        );
        let next = store_contract::entry(0, 1, "next");
        store.append(std::slice::from_ref(&next)).await.unwrap();
        assert_eq!(store.since(0).await.unwrap(), [whole.clone(), next], "cut off after {length} bytes");
    }
}

#[tokio::test]
async fn a_damaged_line_inside_the_journal_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::new(folder.path().join("dev.json"));
    append_raw(&folder.path().join("dev.json.journal"), b"{\"after\":0\n");
    let error = store.since(0).await.unwrap_err();
    assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
    assert!(error.to_string().contains("dev.json.journal"), "{error}");
}

#[tokio::test]
async fn a_snapshot_that_is_no_text_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dev.json");
    fs::write(&path, [0xff, 0xfe]).unwrap();
    let store = LocalStore::new(&path);
    assert!(matches!(store.load().await, Err(StoreError::Unusable { .. })));
    assert!(store.swap(&None, "{}").await.is_err());
    assert_eq!(fs::read(&path).unwrap(), [0xff, 0xfe]);
}

#[tokio::test]
async fn what_cannot_be_read_or_written_is_told_with_place_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    fs::write(&file, "x").unwrap();
    // A folder that is a file: refused to everybody, the superuser too.
    let store = LocalStore::new(file.join("dev.json"));
    let acquired = store.acquire(&holder()).await.err();
    for error in [store.swap(&None, "{}").await.err(), store.append(&[]).await.err(), acquired] {
        let error = error.expect("it cannot work");
        assert!(matches!(&error, StoreError::Failed { reason, .. } if !reason.is_empty()), "{error}");
        assert!(error.to_string().contains("a-file"), "{error}");
    }
    // A snapshot that is a folder.
    let store = LocalStore::new(folder.path());
    assert!(matches!(store.load().await, Err(StoreError::Failed { .. })));
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_without_permission_is_told_with_place_and_reason() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(closed.join("probe"), "x").is_ok() {
        return; // The superuser is refused nothing.
    }
    let error = LocalStore::new(closed.join("dev.json")).swap(&None, "{}").await.unwrap_err();
    assert!(error.to_string().contains("ermission denied"), "{error}");
}

#[tokio::test]
async fn what_was_swapped_in_is_a_state_again_whole_after_a_leftover_of_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dev.json");
    // A run died while it wrote the new snapshot beside the old one.
    fs::write(folder.path().join("dev.json.new"), "{\"half").unwrap();
    let state = lh_state::State::new("l".into(), lh_model::StackId("s".into()), "us-east-1".into());
    let text = lh_state::encode(&state, "0").unwrap();
    let store = LocalStore::new(&path);
    store.swap(&None, &text).await.unwrap();
    assert_eq!(decode(&store.load().await.unwrap().0.unwrap()).unwrap(), state);
    assert!(!folder.path().join("dev.json.new").exists());
}
