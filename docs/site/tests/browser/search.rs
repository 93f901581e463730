//! Who searches finds: a word in the book, an item in the API, and what is found leads to it.

use serde_json::json;

use crate::{Faults, site::Site, tab::Tab};

pub(crate) async fn finds_a_word_of_the_book(tab: &mut Tab, site: &Site, word: &str) -> Faults {
    let mut faults = Faults::new();
    tab.open(&site.url("index.html")).await;
    let result = "Array.from(document.querySelectorAll('#mdbook-searchresults a'))
        .find(result => result.pathname !== location.pathname)";
    if !tab.click("#mdbook-search-toggle").await
        || !tab.becomes("document.activeElement?.id === 'mdbook-searchbar'").await
    {
        faults.push("the book: no search opens when its button is clicked".to_owned());
    } else {
        tab.press(word).await;
        if !tab.becomes(&format!("{result}?.setAttribute('data-found', '') === undefined && {result}")).await {
            faults.push(format!("the book: the search finds no `{word}` in another chapter"));
        } else if !tab.follow("[data-found]").await {
            faults.push("the book: a result of the search cannot be clicked".to_owned());
        } else if tab
            .ask(&format!("document.querySelector('main').innerText.toLowerCase().includes({})", json!(word)))
            .await
            != true
        {
            faults.push(format!("the book: the search for `{word}` leads to a page without it"));
        }
    }
    faults.extend(tab.faults().into_iter().map(|fault| format!("the book's search: {fault}")));
    faults
}

pub(crate) async fn finds_an_item_of_the_api(tab: &mut Tab, site: &Site, item: &str) -> Faults {
    let mut faults = Faults::new();
    // That there is none, where there should be, is another story's.
    let Some(first) = site.crates.first() else { return faults };
    tab.open(&site.url(first)).await;
    // By its key: rustdoc's search has been in several places.
    tab.press("s").await;
    let page = format!("/struct.{item}.html");
    let result = format!("#search a[href*={}]", json!(page));
    if tab.becomes("document.activeElement?.matches('input.search-input')").await {
        tab.press(item).await;
        if !tab.becomes(&format!("document.querySelector({})", json!(result))).await {
            faults.push(format!("the API: the search finds no `{item}`"));
        } else if !tab.follow(&result).await {
            faults.push("the API: a result of the search cannot be clicked".to_owned());
        } else if tab.ask(&format!("location.pathname.endsWith({})", json!(page))).await != true {
            faults.push(format!("the API: the search for `{item}` leads to another page"));
        }
    } else {
        faults.push("the API: no search opens with its key".to_owned());
    }
    faults.extend(tab.faults().into_iter().map(|fault| format!("the API's search: {fault}")));
    faults
}
