//! The house holds its shape: data flows one way, the functions are what is deployed, and what is written down about
//! variables is what is read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use patchbay::config::Config;

/// Which rooms a room may call. `ids`, `secret` and `system` are the vocabulary that everybody shares.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "app",
        &[
            "config",
            "connect",
            "export",
            "grants",
            "http",
            "limits",
            "listening",
            "metrics",
            "providers",
            "store",
            "vault",
        ],
    ),
    ("config", &["providers", "store", "vault"]),
    (
        "connect",
        &["grants", "limits", "listening", "providers", "store", "vault"],
    ),
    (
        "export",
        &["grants", "limits", "metrics", "providers", "songs", "store"],
    ),
    ("function", &["app", "config", "telemetry"]),
    (
        "grants",
        &["joining", "limits", "metrics", "providers", "store", "vault"],
    ),
    (
        "http",
        &[
            "config",
            "connect",
            "export",
            "grants",
            "listening",
            "metrics",
            "providers",
            "store",
            "vault",
        ],
    ),
    ("ids", &[]),
    ("joining", &[]),
    ("limits", &["pace", "store"]),
    (
        "listening",
        &[
            "joining",
            "limits",
            "metrics",
            "providers",
            "songs",
            "store",
            "vault",
        ],
    ),
    ("metrics", &["limits", "providers", "store"]),
    ("pace", &[]),
    ("providers", &[]),
    ("secret", &[]),
    ("songs", &[]),
    ("store", &["pace"]),
    ("system", &[]),
    ("telemetry", &[]),
    ("vault", &[]),
];

const VOCABULARY: [&str; 3] = ["ids", "secret", "system"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below `folder` with this extension, as paths from the root, sorted.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the project") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path.strip_prefix(root()).expect("below the root").to_owned());
            }
        }
    }
    found.sort();
    found
}

/// The first names behind every `crate::` of a source, groups included.
fn called_rooms(source: &str) -> BTreeSet<String> {
    let code: Vec<_> = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            rooms.insert(identifier(rest));
            continue;
        };
        let mut depth = 0;
        let mut expecting = true;
        for (offset, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => expecting = true,
                _ if expecting && depth == 0 && letter.is_alphabetic() => {
                    rooms.insert(identifier(&group[offset..]));
                    expecting = false;
                }
                _ => {}
            }
        }
    }
    rooms
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect()
}

#[test]
fn data_flows_one_way() {
    let arrows: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    for file in files("lib/src", "rs") {
        let inside = file.strip_prefix("lib/src").expect("below lib/src");
        let room = inside
            .components()
            .next()
            .expect("a name")
            .as_os_str()
            .to_str()
            .expect("text");
        let room = room.trim_end_matches(".rs");
        if room == "lib" {
            continue;
        }
        let allowed = arrows
            .get(room)
            .unwrap_or_else(|| panic!("{room} is not in the list of rooms"));
        for called in called_rooms(&read(&file)) {
            let fine =
                called == room || VOCABULARY.contains(&called.as_str()) || allowed.contains(&called.as_str());
            assert!(fine, "{}: {room} may not call {called}", file.display());
        }
    }
}

#[test]
fn the_reader_of_arrows_sees_groups_and_paths() {
    let source = "use crate::{\n    a::{x, y},\n    b,\n};\nfn f() { crate::c::g(); }\n// crate::d";
    assert_eq!(called_rooms(source), ["a", "b", "c"].map(str::to_owned).into());
}

/// What the root manifest says, as text: path → name of each `[[bin]]`.
fn bins() -> BTreeMap<String, String> {
    let value = |line: &str| line.split('"').nth(1).map(str::to_owned);
    let manifest = read("Cargo.toml");
    let mut bins = BTreeMap::new();
    for section in manifest.split("[[bin]]").skip(1) {
        let section = section.split("\n[").next().unwrap_or_default();
        let find = |key: &str| section.lines().find(|line| line.starts_with(key)).and_then(value);
        bins.insert(
            find("path").expect("a bin has a path"),
            find("name").expect("a bin has a name"),
        );
    }
    bins
}

#[test]
fn every_function_file_has_its_entry_and_no_entry_is_without_a_file() {
    let mut bins = bins();
    assert_eq!(bins.remove("cli/main.rs").as_deref(), Some("patchbay"));
    let files: Vec<_> = files("api", "rs")
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    assert_eq!(bins.keys().cloned().collect::<Vec<_>>(), files);
    let names: BTreeSet<_> = bins.values().collect();
    assert_eq!(names.len(), bins.len(), "names are unique");
}

#[test]
fn each_function_main_is_one_call() {
    for file in files("api", "rs") {
        let source = read(&file);
        let body = source.split_once("fn main()").expect("a main").1;
        let body = body
            .split_once('{')
            .expect("a body")
            .1
            .trim()
            .trim_end_matches('}')
            .trim();
        assert_eq!(body, "patchbay::function::main()", "{}", file.display());
    }
}

#[test]
fn every_route_reaches_a_function() {
    let vercel: serde_json::Value = serde_json::from_str(&read("vercel.json")).expect("vercel.json is JSON");
    let rewrites = vercel["rewrites"].as_array().expect("rewrites");
    let rewritten = |path: &str| {
        rewrites.iter().any(|rewrite| {
            let source = rewrite["source"].as_str().expect("a source");
            assert_eq!(rewrite["destination"], "/api/app");
            source
                .strip_suffix("(.*)")
                .map_or(source == path, |start| path.starts_with(start))
        })
    };
    // The path may stand on a line of its own.
    let routes: Vec<_> = read("lib/src/http.rs")
        .split(".route(")
        .skip(1)
        .filter_map(|call| {
            call.trim_start()
                .strip_prefix('"')?
                .split('"')
                .next()
                .map(str::to_owned)
        })
        .collect();
    assert!(routes.len() > 8, "the routes are found: {routes:?}");
    for route in &routes {
        let file = format!("{}.rs", route.trim_start_matches('/'));
        assert!(
            bins().contains_key(&file) || rewritten(route),
            "{route} is not deployed"
        );
    }
    // And the other way round: a function of its own serves a route that there is.
    for file in files("api", "rs") {
        let route = format!("/{}", file.with_extension("").display());
        assert!(
            route == "/api/app" || routes.contains(&route),
            "{route} is no route"
        );
    }
}

#[test]
fn the_example_environment_names_every_variable_and_no_other() {
    let example = read(".env.example");
    let named: BTreeSet<_> = example
        .lines()
        .filter_map(|line| {
            line.trim_start_matches('#')
                .trim()
                .split_once('=')
                .map(|(name, _)| name.to_owned())
        })
        .filter(|name| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|letter| letter.is_ascii_uppercase() || letter == '_')
        })
        .collect();
    let read: BTreeSet<_> = Config::VARIABLES
        .iter()
        .map(|variable| variable.name.to_owned())
        .collect();
    assert_eq!(named, read);
}
