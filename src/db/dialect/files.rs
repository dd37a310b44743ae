//! The files of an SQLite database: backup and permissions. PostgreSQL has its own tools.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use sqlx::query;

use crate::{
    db::{Db, Pools},
    error::{Error, ErrorCode, Result},
};

/// Copies the whole database to a new file that only its owner can read, and returns its size in bytes.
///
/// SQLite copies a snapshot, so concurrent writes continue and are not in the copy. The file gets its name when it is
/// complete and on disk; an existing file is never overwritten.
pub async fn backup(db: &Db, file: &Path) -> Result<u64> {
    let Pools::Sqlite { writer, .. } = &db.pools else {
        let command = format!("(umask 077; pg_dump --format=custom --file='{}' \"$DATABASE_URL\")", file.display());
        let message = format!("back up a PostgreSQL database with its own tools: {command}");
        return Err(Error::new(ErrorCode::BadUserInput, message));
    };
    if file.symlink_metadata().is_ok() {
        return Err(exists(file));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(".".as_ref());
    let failed = |cause: std::io::Error| {
        let message = format!("cannot write the backup {}", file.display());
        Error::internal(cause).with_message(message)
    };
    // Created with mode 0600, in the directory of the backup, and removed after any failure.
    let copy = tempfile::Builder::new().prefix(".guardianeye-backup-").tempfile_in(folder).map_err(failed)?;
    let copy = copy.into_temp_path();
    let name = copy.to_str().ok_or_else(|| Error::new(ErrorCode::BadUserInput, "the folder's name is not UTF-8"))?;
    {
        // SQLite accepts an empty target file. Only the writer's connection may write.
        let mut writer = writer.acquire().await?;
        let connection = writer.raw();
        let copied = query("vacuum into $1").bind(name).execute(connection).await;
        copied
            .map_err(|cause| Error::from(cause).with_message(format!("cannot write the backup {}", file.display())))?;
    }
    let target = file.to_owned();
    let folder = folder.to_owned();
    let done = tokio::task::spawn_blocking(move || {
        let written = std::fs::File::open(&copy)?;
        written.sync_all()?;
        let bytes = written.metadata()?.len();
        copy.persist_noclobber(&target).map_err(|refused| refused.error)?;
        // Syncs the directory entry too; not every system supports that.
        let _ = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
        Ok(bytes)
    });
    done.await.map_err(Error::internal)?.map_err(|cause: std::io::Error| match cause.kind() {
        ErrorKind::AlreadyExists => exists(file),
        _ => failed(cause),
    })
}

fn exists(file: &Path) -> Error {
    Error::new(
        ErrorCode::Conflict,
        format!("{} exists, and a backup overwrites no file; choose another name", file.display()),
    )
}

/// A database file that other users of the system could read.
#[derive(Debug)]
pub struct ExposedFile {
    pub file: PathBuf,
    /// Its previous permission bits.
    pub mode: u32,
    /// True if the permissions of other users were removed. Only files of the database itself are changed.
    pub closed: bool,
}

/// Removes the permissions of other users from the database's files, which contain password hashes and signing keys, and
/// returns the files that had such permissions. Other files whose names start with the database's name are considered
/// backups; they are returned, but not changed.
///
/// Files are accessed by name, because opening and closing the database file would release this process's locks on it.
#[must_use]
pub fn restrict_permissions(db: &Db) -> Vec<ExposedFile> {
    let Pools::Sqlite { writer, .. } = &db.pools else { return Vec::new() };
    let file = writer.connector().options.get_filename().to_owned();
    let Ok(file) = file.canonicalize() else { return Vec::new() };
    let (Some(folder), Some(name)) = (file.parent(), file.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let own = ["", "-wal", "-shm", "-journal"].map(|end| format!("{name}{end}"));
    let beside = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut exposed: Vec<_> = beside
        .filter_map(|path| {
            let found = path.file_name()?.to_str()?;
            let is_own = own.iter().any(|own| own == found);
            if found.starts_with(name) { close(&path, is_own) } else { None }
        })
        .collect();
    exposed.sort_by(|a, b| a.file.cmp(&b.file));
    exposed
}

/// `None` if no other user can read the file.
#[cfg(unix)]
fn close(file: &Path, change: bool) -> Option<ExposedFile> {
    use std::os::unix::fs::PermissionsExt;

    let found = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let mode = found.permissions().mode() & 0o777;
    let private = mode & 0o700;
    if mode == private {
        return None;
    }
    let closed = change && std::fs::set_permissions(file, std::fs::Permissions::from_mode(private)).is_ok();
    Some(ExposedFile { file: file.to_owned(), mode, closed })
}

/// Other systems have no such permission bits.
#[cfg(not(unix))]
fn close(_: &Path, _: bool) -> Option<ExposedFile> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_whose_permissions_cannot_be_changed_is_reported() {
        // Not even root can change it.
        let exposed = close("/proc/self/status".as_ref(), true).expect("it is readable by others");
        assert!(!exposed.closed);
        assert_eq!(exposed.mode, 0o444);
    }
}
