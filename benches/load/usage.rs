//! What processes use, as Linux counts it under `/proc`: time on the processors, and memory.

use std::time::Duration;

use crate::Result;

/// Linux tells times to programs in these, on every machine.
const TICK: Duration = Duration::from_millis(10);

/// Time on the processors that a process and its threads had.
pub fn cpu(pid: u32) -> Result<Duration> {
    let stat = Stat::of(&pid.to_string())?;
    Ok(stat.own)
}

/// The same with all its children, those that have ended too.
pub fn cpu_of_family(pid: u32) -> Result<Duration> {
    let parent = Stat::of(&pid.to_string())?;
    let mut sum = parent.own + parent.ended_children;
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) else { continue };
        // It may have ended since the folder was read.
        if let Ok(child) = Stat::of(name)
            && child.parent == pid
        {
            sum += child.own + child.ended_children;
        }
    }
    Ok(sum)
}

/// Time that this process had, and its children that have ended.
pub fn cpu_of_this() -> Result<(Duration, Duration)> {
    let stat = Stat::of("self")?;
    Ok((stat.own, stat.ended_children))
}

/// Time that everything on this machine had, and how many processors there are.
pub fn cpu_of_all() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().ok_or("/proc/stat is empty")?;
    let fields: Vec<u32> = line.split_whitespace().skip(1).map(str::parse).collect::<Result<_, _>>()?;
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are in user.
    let [user, nice, system, _, _, irq, softirq, steal, ..] = fields[..] else {
        return Err("/proc/stat is shorter than expected".into());
    };
    Ok(TICK * (user + nice + system + irq + softirq + steal))
}

/// Resident memory in MiB: all of it, and what is left without files that are mapped into it, such as `SQLite`'s.
pub fn memory(pid: u32) -> Result<(f64, f64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let mib = |name: &str| -> Result<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("memory is not told")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
    };
    Ok((mib("VmRSS:")?, mib("RssAnon:")?))
}

struct Stat {
    parent: u32,
    own: Duration,
    ended_children: Duration,
}

impl Stat {
    fn of(process: &str) -> Result<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name stands in brackets and may contain anything.
        let (_, fields) = stat.rsplit_once(')').ok_or("no name")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let field = |number: usize| -> Result<u32> { Ok(fields.get(number).ok_or("too few fields")?.parse()?) };
        // Counted from the state, which is field 3 of proc(5).
        Ok(Self {
            parent: field(1)?,
            own: TICK * (field(11)? + field(12)?),
            ended_children: TICK * (field(13)? + field(14)?),
        })
    }
}
