//! The page for what is not there, which stands alone: it is shown at any address, and no relative link holds at all of them.

use std::{fs, io, path::Path};

/// The site may lie below any path of its host, so a script looks for its first page in the folders above, the nearest first:
/// `toc.html` is in the root of a book alone. Without scripts, the page says what to do.
const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>Not found</title>
<link rel="icon" href="data:,">
<style>
html { background: #fff; color: #000 }
a { color: #1d5f85 }
@media (prefers-color-scheme: dark) { html { background: #161923; color: #bcbdd0 } a { color: #6cb9e6 } }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 15vh auto; max-width: 34rem; padding: 0 1rem }
</style>
</head>
<body>
<main>
<h1>There is no such page</h1>
<p>It may have another name now. <span id="way">The book's first page is at the start of this address.</span></p>
</main>
<script>
(async () => {
  for (let at = new URL(".", location.href); ; at = new URL("..", at)) {
    const found = await fetch(new URL("toc.html", at), { method: "HEAD" }).then((answer) => answer.ok, () => false);
    if (found) {
      const link = document.createElement("a");
      link.href = new URL("index.html", at).href;
      link.textContent = "To the book";
      document.getElementById("way").replaceChildren(link);
    }
    if (found || at.pathname === "/") return;
  }
})();
</script>
</body>
</html>
"#;

/// Writes it into a site.
///
/// # Errors
///
/// When the file cannot be written.
pub(crate) fn write(site: &Path) -> io::Result<()> {
    fs::write(site.join("404.html"), PAGE)
}
