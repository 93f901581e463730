//! A tab: pages are loaded in it, asked, clicked and typed into, and what goes wrong on them is kept.

use std::collections::HashMap;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    Faults,
    chromium::PATIENCE,
    devtools::{Devtools, Event},
};

pub(crate) struct Tab {
    devtools: Devtools,
    /// What is still under way, each with the document that it is for.
    requests: HashMap<String, String>,
    loaded: bool,
    /// The only host that pages may ask.
    host: String,
    /// What went wrong since it was asked last.
    faults: Faults,
    /// For how many frames a condition is waited for: what has not come true by then does not.
    pub(crate) frames: u32,
}

/// At sixty a second, ten seconds.
const FRAMES: u32 = 600;

/// Two frames drawn: scripts that wait for a frame have run, and what they asked for is under way.
const DRAWN: &str = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))";

impl Tab {
    /// The tab with which the browser began.
    pub(crate) async fn first(mut devtools: Devtools) -> Self {
        let targets = devtools.call("Target.getTargets", json!({})).await;
        let targets = targets["targetInfos"].as_array().cloned().unwrap_or_default();
        let page = targets.iter().find(|target| target["type"] == "page").expect("a tab");
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        let attached = devtools.call("Target.attachToTarget", attach).await;
        devtools.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Network", "Runtime", "Log"] {
            devtools.call(&format!("{domain}.enable"), json!({})).await;
        }
        Self {
            devtools,
            requests: HashMap::new(),
            loaded: false,
            host: String::new(),
            faults: Vec::new(),
            frames: FRAMES,
        }
    }

    /// From now on, a page that asks another host than that of `address` has a fault.
    pub(crate) fn may_ask(&mut self, address: &str) {
        self.host = address.to_owned();
    }

    pub(crate) async fn command(&mut self, method: &str, params: Value) -> Value {
        self.devtools.call(method, params).await
    }

    pub(crate) async fn close_browser(&mut self) {
        self.command("Browser.close", json!({})).await;
    }

    /// Loads a page, and waits until nothing of it is under way any more.
    pub(crate) async fn open(&mut self, url: &str) {
        self.about_to_load();
        let begun = self.command("Page.navigate", json!({ "url": url })).await;
        if let Some(error) = begun["errorText"].as_str() {
            self.faults.push(format!("does not load: {error}"));
            return;
        }
        self.settled().await;
    }

    pub(crate) async fn reload(&mut self) {
        self.about_to_load();
        self.command("Page.reload", json!({})).await;
        self.settled().await;
    }

    /// What went wrong since this was asked last.
    pub(crate) fn faults(&mut self) -> Faults {
        while let Some(event) = self.devtools.event_that_came() {
            self.note(&event);
        }
        std::mem::take(&mut self.faults)
    }

    /// What an expression in JavaScript gives, or the promise that it gives.
    ///
    /// # Panics
    ///
    /// If it throws.
    pub(crate) async fn ask(&mut self, expression: &str) -> Value {
        let asked =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true });
        let mut answer = self.command("Runtime.evaluate", asked).await;
        let thrown = answer.get("exceptionDetails");
        assert!(thrown.is_none(), "{expression}: {}", thrown.unwrap_or_default());
        answer["result"]["value"].take()
    }

    /// Whether a condition becomes true, looked at again with every frame; `false` if it has not in many of them.
    pub(crate) async fn becomes(&mut self, condition: &str) -> bool {
        let frames = self.frames;
        let look = format!(
            "new Promise(done => {{
                let frames = 0;
                const look = () => {{
                    let seen = false;
                    try {{ seen = Boolean({condition}); }} catch {{ }}
                    if (seen || ++frames > {frames}) done(seen); else requestAnimationFrame(look);
                }};
                look();
            }})"
        );
        self.ask(&look).await == true
    }

    /// Clicks into the middle of what a selector finds first; `false` if there is nothing of it in the window to be clicked.
    pub(crate) async fn click(&mut self, selector: &str) -> bool {
        let selector = json!(selector);
        let at = format!(
            "(() => {{
                const element = document.querySelector({selector});
                if (!element) return null;
                element.scrollIntoView({{ block: 'nearest', behavior: 'instant' }});
                const box = element.getBoundingClientRect();
                const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
                const hit = document.elementFromPoint(x, y);
                return hit && (element.contains(hit) || hit.contains(element)) && box.width > 0 ? {{ x, y }} : null;
            }})()"
        );
        let at = self.ask(&at).await;
        if at.is_null() {
            return false;
        }
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let mouse = json!({ "type": kind, "x": at["x"], "y": at["y"], "button": "left", "clickCount": 1 });
            self.command("Input.dispatchMouseEvent", mouse).await;
        }
        true
    }

    /// Clicks a link to another page, and waits as [`open`](Self::open) does; `false` if it cannot be clicked.
    pub(crate) async fn follow(&mut self, selector: &str) -> bool {
        self.about_to_load();
        let clicked = self.click(selector).await;
        if clicked {
            self.settled().await;
        }
        clicked
    }

    /// Types letters, key by key.
    pub(crate) async fn press(&mut self, letters: &str) {
        for letter in letters.chars() {
            let code = format!("Key{}", letter.to_ascii_uppercase());
            let number = u32::from(letter.to_ascii_uppercase());
            for kind in ["keyDown", "keyUp"] {
                let mut key = json!({ "type": kind, "key": letter, "code": code, "windowsVirtualKeyCode": number });
                if kind == "keyDown" {
                    key["text"] = json!(letter);
                }
                self.command("Input.dispatchKeyEvent", key).await;
            }
        }
    }

    fn about_to_load(&mut self) {
        // What the page before has left is its own.
        while let Some(event) = self.devtools.event_that_came() {
            self.note(&event);
        }
        self.requests.clear();
        self.loaded = false;
    }

    async fn settled(&mut self) {
        let settled = async {
            // Scripts ask for more as soon as they are there, and once they have drawn.
            while !self.loaded || !self.requests.is_empty() {
                let event = self.devtools.event().await;
                self.note(&event);
                if self.loaded && self.requests.is_empty() {
                    self.ask(DRAWN).await;
                    while let Some(event) = self.devtools.event_that_came() {
                        self.note(&event);
                    }
                }
            }
        };
        if timeout(PATIENCE, settled).await.is_err() {
            self.faults.push(format!("never ends loading: {} requests are under way", self.requests.len()));
        }
    }

    fn note(&mut self, Event { method, params }: &Event) {
        let request = || params["requestId"].as_str().unwrap_or_default().to_owned();
        match method.as_str() {
            "Page.loadEventFired" => self.loaded = true,
            // What the document before had under way is not always said to have ended.
            "Page.frameNavigated" if params["frame"]["parentId"].is_null() => {
                let document = params["frame"]["loaderId"].as_str().unwrap_or_default();
                self.requests.retain(|_, of| of == document);
            }
            "Network.requestWillBeSent" => {
                let url = params["request"]["url"].as_str().unwrap_or_default();
                if url.starts_with("data:") || url.starts_with("blob:") {
                    return;
                }
                self.requests.insert(request(), params["loaderId"].as_str().unwrap_or_default().to_owned());
                if !url.starts_with(&self.host) {
                    self.faults.push(format!("asks another host: {url}"));
                }
            }
            "Network.loadingFinished" => {
                self.requests.remove(&request());
            }
            "Network.loadingFailed" => {
                let was_open = self.requests.remove(&request()).is_some();
                if was_open && params["canceled"] != true {
                    self.faults.push(format!("a request fails: {}", params["errorText"]));
                }
            }
            "Network.responseReceived" => {
                let response = &params["response"];
                if response["status"].as_u64().is_some_and(|status| status >= 400) {
                    self.faults.push(format!("{} for {}", response["status"], response["url"]));
                }
            }
            "Network.webSocketCreated" => self.faults.push(format!("opens a socket: {}", params["url"])),
            "Log.entryAdded" if params["entry"]["level"] == "error" => {
                let entry = &params["entry"];
                self.faults.push(format!("an error in the log: {} {}", entry["text"], entry["url"]));
            }
            "Runtime.exceptionThrown" => {
                let details = &params["exceptionDetails"];
                self.faults.push(format!("throws: {} {}", details["text"], details["exception"]["description"]));
            }
            "Runtime.consoleAPICalled" if params["type"] == "error" || params["type"] == "assert" => {
                self.faults.push(format!("an error on the console: {}", params["args"][0]["value"]));
            }
            // Loading stops until it is answered, and nobody does.
            "Page.javascriptDialogOpening" => self.faults.push(format!("opens a dialog: {}", params["message"])),
            _ => {}
        }
    }
}
