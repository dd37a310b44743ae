//! The files of an SQLite database: a backup of it, and who else can read them. PostgreSQL looks after its own.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use sqlx::query;

use crate::{
    db::{Db, Pools},
    error::{Error, ErrorCode, Result},
};

/// Copies the whole database into a new file that only its owner can read, and returns its size in bytes.
///
/// SQLite copies from a snapshot, so others go on writing meanwhile, and what they write is not in the copy. The file
/// appears under its name when it is complete and on the disk; an existing file is never overwritten.
pub async fn backup(db: &Db, file: &Path) -> Result<u64> {
    let Pools::Sqlite { writer, .. } = &db.pools else {
        let command = format!("(umask 077; pg_dump --format=custom --file='{}' \"$DATABASE_URL\")", file.display());
        let message = format!("a PostgreSQL database is backed up by its own tools: {command}");
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
    // Made with mode 0600, next to the backup, and gone when anything fails.
    let copy = tempfile::Builder::new().prefix(".guardianeye-backup-").tempfile_in(folder).map_err(failed)?;
    let copy = copy.into_temp_path();
    let name = copy.to_str().ok_or_else(|| Error::new(ErrorCode::BadUserInput, "the folder's name is not UTF-8"))?;
    {
        // SQLite takes an empty file for one that it may write to. Of the connections only this one may write at all.
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
        // The name, too, has to survive a power cut. Not every system can wait for that.
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
        format!("{} exists: a backup overwrites nothing, so choose another name", file.display()),
    )
}

/// A database file that other users of the machine could read.
#[derive(Debug)]
pub struct Exposed {
    pub file: PathBuf,
    /// Its permission bits as they were.
    pub mode: u32,
    /// Whether it was closed to them: always tried for the database's own files, never for others beside them.
    pub closed: bool,
}

/// Closes the database's files to other users, as they hold password hashes and signing keys, and returns those that were
/// open to them. Files beside the database whose names begin with its name are taken for backups: they are only returned.
///
/// Files are looked at and changed by name: to open the database would end this process's locks on it.
#[must_use]
pub fn close_to_others(db: &Db) -> Vec<Exposed> {
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

/// `None` for what no other user can read.
#[cfg(unix)]
fn close(file: &Path, change: bool) -> Option<Exposed> {
    use std::os::unix::fs::PermissionsExt;

    let found = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let mode = found.permissions().mode() & 0o777;
    let private = mode & 0o700;
    if mode == private {
        return None;
    }
    let closed = change && std::fs::set_permissions(file, std::fs::Permissions::from_mode(private)).is_ok();
    Some(Exposed { file: file.to_owned(), mode, closed })
}

/// Elsewhere files have no such bits.
#[cfg(not(unix))]
fn close(_: &Path, _: bool) -> Option<Exposed> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_closed_to_others_is_reported_as_open() {
        // Nobody may change it, not even root.
        let exposed = close("/proc/self/status".as_ref(), true).expect("everybody can read it");
        assert!(!exposed.closed);
        assert_eq!(exposed.mode, 0o444);
    }
}
