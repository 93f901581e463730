//! The chapters on the crates have one skeleton, so that who has read one finds their way in the others.
#![cfg(not(loom))]
#![allow(missing_docs)]

#[path = "support/chapters.rs"]
mod chapters;
#[path = "support/table.rs"]
mod table;

use chapters::{CHAPTERS, section, titles};
use table::documented;

/// The sections that each chapter has, in this order; what is the crate's own stands between them.
const SKELETON: [&str; 9] = [
    "About",
    "Usage",
    "How it decides",
    "Defaults, and why",
    "When not to use it",
    "Do and don't",
    "What operators see",
    "Failure stories",
    "From a file",
];

#[test]
fn each_chapter_has_the_skeleton_in_its_order() {
    for chapter in CHAPTERS {
        let known = titles(chapter.text).into_iter().filter(|title| SKELETON.contains(title));
        assert_eq!(known.collect::<Vec<_>>(), SKELETON, "{}", chapter.library);
    }
}

#[test]
fn each_shows_how_it_goes_and_how_it_goes_wrong() {
    for chapter in CHAPTERS {
        let pictures = section(chapter.text, "How it decides").matches("```text\n").count();
        assert!(pictures >= 2, "{}: {pictures}", chapter.library);
    }
}

#[test]
fn what_to_do_and_what_not_stand_side_by_side_with_the_reason() {
    for chapter in CHAPTERS {
        let head = section(chapter.text, "Do and don't").lines().find(|line| !line.is_empty());
        assert_eq!(head, Some("| do | don't | because |"), "{}", chapter.library);
    }
}

#[test]
fn each_names_all_series_of_its_crate() {
    for series in documented() {
        let part = |part: &&str| series.name.starts_with(&format!("evenkeel_{part}_"));
        let of = CHAPTERS.into_iter().find(|chapter| chapter.parts.iter().any(part)).expect("each is of a crate");
        let named = format!("`{}`", series.name);
        assert!(section(of.text, "What operators see").contains(&named), "{}: {named}", of.library);
    }
}

#[test]
fn each_story_is_told_by_a_test() {
    for chapter in CHAPTERS {
        let stories: Vec<&str> = section(chapter.text, "Failure stories").split("\n- ").skip(1).collect();
        assert!(stories.len() >= 5, "{}: {}", chapter.library, stories.len());
        for story in stories {
            // That there is such a test is for `cargo xtask tidy` to see.
            let told = story.split('`').skip(1).step_by(2).any(|code| code.matches('_').count() >= 3);
            assert!(story.starts_with("**") && told, "{}: {story}", chapter.library);
        }
    }
}
