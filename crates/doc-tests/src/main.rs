//! Runs every SQL block of Markdown pages and compares the output with what the page shows.
//!
//! A block fenced as `sql` is run by psql; a block fenced as `text` that follows it,
//! with nothing but blank lines between, is what psql must print. Without such a
//! block nothing may go wrong. All blocks of a page run in one session, so that
//! later ones stand on earlier ones.
//!
//! Usage: `doc-tests [--accept] PSQL PAGE...`, where `PSQL` is a command to which the
//! name of a page is given and which then runs the SQL on its standard input in a
//! database made for that page. `--accept` writes what was printed into the pages.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// A SQL block of a page.
struct Block {
    /// Its first line in the page, for messages.
    line: usize,
    sql: String,
    /// The lines of the expected output within the page, fences excluded.
    expected: Option<std::ops::Range<usize>>,
}

fn blocks(lines: &[&str]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut at = 0;
    // The line after the last SQL block, as long as only blank lines follow.
    let mut follows = None;
    while at < lines.len() {
        let Some(language) = lines[at].strip_prefix("```") else {
            if !lines[at].trim().is_empty() {
                follows = None;
            }
            at += 1;
            continue;
        };
        let start = at + 1;
        let length =
            lines[start..].iter().position(|line| line.trim_end() == "```").unwrap_or(lines.len() - start);
        match (language.trim(), follows) {
            ("sql", _) => {
                let sql = lines[start..start + length].join("\n");
                blocks.push(Block { line: start + 1, sql, expected: None });
                follows = Some(blocks.len() - 1);
            }
            ("text", Some(block)) => {
                let block: &mut Block = &mut blocks[block];
                block.expected = Some(start..start + length);
                follows = None;
            }
            _ => follows = None,
        }
        at = start + length + 1;
    }
    blocks
}

const MARK: &str = "--- end of block ---";

/// What psql prints for each block.
fn run(psql: &str, page: &str, blocks: &[Block]) -> Result<Vec<String>, String> {
    let mut script = String::new();
    for block in blocks {
        let _ = writeln!(script, "{}\n\\echo {MARK}", block.sql);
    }
    let mut child = Command::new("bash")
        .args(["-c", "exec $0 \"$1\" 2>&1", psql, page])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{psql}: {error}"))?;
    let mut input = child.stdin.take().ok_or("no standard input")?;
    let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    writer.join().map_err(|_| "the writer failed")?.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut outputs: Vec<String> = text.split(&format!("{MARK}\n")).map(tidy).collect();
    let rest = outputs.pop().unwrap_or_default();
    if outputs.len() != blocks.len() {
        return Err(format!("psql stopped after {} of {} blocks:\n{rest}", outputs.len(), blocks.len()));
    }
    Ok(outputs)
}

/// Without the blanks at line ends and the empty lines at the end, which editors remove.
fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let accept = arguments.first().is_some_and(|first| first == "--accept");
    if accept {
        arguments.remove(0);
    }
    let [psql, pages @ ..] = &arguments[..] else {
        eprintln!("usage: doc-tests [--accept] PSQL PAGE...");
        return ExitCode::from(2);
    };
    let (mut passed, mut failed) = (0, 0);
    for page in pages {
        let text = match std::fs::read_to_string(page) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("{page}: {error}");
                return ExitCode::from(2);
            }
        };
        let lines: Vec<&str> = text.lines().collect();
        let blocks = blocks(&lines);
        if blocks.is_empty() {
            continue;
        }
        let name = Path::new(page).file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        let outputs = match run(psql, &name, &blocks) {
            Ok(outputs) => outputs,
            Err(error) => {
                println!("{page}: {error}");
                failed += blocks.len();
                continue;
            }
        };
        let mut accepted: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        for (block, output) in blocks.iter().zip(&outputs).rev() {
            let fault = match &block.expected {
                Some(range) if tidy(&lines[range.clone()].join("\n")) == *output => None,
                Some(range) if accept => {
                    accepted.splice(range.clone(), output.lines().map(str::to_owned));
                    None
                }
                Some(range) => Some(format!(
                    "the page shows:\n{}\npsql prints:\n{output}",
                    lines[range.clone()].join("\n")
                )),
                None if output.contains("ERROR:") => Some(format!("psql prints:\n{output}")),
                None => None,
            };
            match fault {
                None => passed += 1,
                Some(fault) => {
                    failed += 1;
                    println!("{page}:{}: {fault}\n", block.line);
                }
            }
        }
        if accept && accepted.iter().ne(lines.iter()) {
            if let Err(error) = std::fs::write(page, accepted.join("\n") + "\n") {
                eprintln!("{page}: {error}");
                return ExitCode::from(2);
            }
            println!("{page}: output accepted; read it before committing");
        }
    }
    println!("docs: {passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_blocks_and_their_output() {
        let page = "```sql\nSELECT 1;\n```\n\n```text\n 1\n```\n\n```sql\nSELECT 2;\n```\nwords\n```text\nno output\n```\n```sh\nls\n```";
        let lines: Vec<&str> = page.lines().collect();
        let found = blocks(&lines);
        assert_eq!(
            found.iter().map(|b| (b.line, b.sql.as_str())).collect::<Vec<_>>(),
            [(2, "SELECT 1;"), (10, "SELECT 2;")]
        );
        assert_eq!(found[0].expected, Some(5..6));
        assert_eq!(found[1].expected, None);
    }
}
