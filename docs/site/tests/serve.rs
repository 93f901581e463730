//! The server of the site, asked over sockets, byte by byte: no client tidies a hostile path up.

#![allow(missing_docs)]

use std::{fs, io, net::SocketAddr, path::Path};

use evenkeel_site::serve;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A site beside a file that is not of it.
fn site() -> io::Result<TempDir> {
    let around = tempfile::tempdir()?;
    let site = around.path().join("site");
    fs::create_dir_all(site.join("api/search.index"))?;
    fs::create_dir(site.join("empty"))?;
    for (file, text) in [
        ("../secret.txt", "not for you"),
        ("index.html", "<h1>book</h1>"),
        ("404.html", "<h1>lost</h1>"),
        ("api/index.html", "<h1>api</h1>"),
        ("api/search.index/root.js", "0"),
        ("a b.css", "x{}"),
        ("chart.svg", "<svg/>"),
        ("font.woff2", ""),
        ("data.json", "{}"),
        ("figures.csv", "a,b"),
        ("notes.txt", "ä"),
    ] {
        fs::write(site.join(file), text)?;
    }
    Ok(around)
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

async fn ask(address: SocketAddr, method: &str, path: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

async fn serving(around: &Path) -> io::Result<SocketAddr> {
    let (address, serving) = serve::bind(&around.join("site"), 0).await?;
    // It ends with the test's runtime.
    tokio::spawn(serving);
    Ok(address)
}

#[tokio::test]
async fn files_come_as_what_they_are() -> io::Result<()> {
    let around = site()?;
    let address = serving(around.path()).await?;
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/a%20b.css?v=1", "text/css; charset=utf-8"),
        ("/api/search.index/root.js", "text/javascript; charset=utf-8"),
        ("/chart.svg", "image/svg+xml"),
        ("/font.woff2", "font/woff2"),
        ("/data.json", "application/json"),
        ("/figures.csv", "text/csv; charset=utf-8"),
        ("/notes.txt", "text/plain; charset=utf-8"),
    ] {
        let answer = ask(address, "GET", path).await?;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    assert_eq!(ask(address, "GET", "/notes.txt").await?.body, "ä");
    Ok(())
}

#[tokio::test]
async fn a_folder_is_its_index_with_a_slash_after_it() -> io::Result<()> {
    let around = site()?;
    let address = serving(around.path()).await?;
    assert_eq!(ask(address, "GET", "/api/").await?.body, "<h1>api</h1>");
    let moved = ask(address, "GET", "/api").await?;
    assert!((300..400).contains(&moved.status), "{}", moved.status);
    assert_eq!(moved.header("location"), Some("/api/"));
    Ok(())
}

#[tokio::test]
async fn what_is_not_there_is_the_404_page_of_the_book() -> io::Result<()> {
    let around = site()?;
    let address = serving(around.path()).await?;
    for path in ["/none.html", "/api/none/", "/empty/", "/index.html/", "/%FF", "/404/"] {
        let answer = ask(address, "GET", path).await?;
        assert_eq!((answer.status, answer.body.as_str()), (404, "<h1>lost</h1>"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    fs::remove_file(around.path().join("site/404.html"))?;
    assert_eq!(ask(address, "GET", "/none.html").await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn head_is_the_answer_without_its_body_and_nothing_can_be_sent() -> io::Result<()> {
    let around = site()?;
    let address = serving(around.path()).await?;
    let answer = ask(address, "HEAD", "/").await?;
    assert_eq!((answer.status, answer.body.as_str(), answer.header("content-length")), (200, "", Some("13")));
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(ask(address, method, "/").await?.status, 405, "{method}");
    }
    Ok(())
}

#[tokio::test]
async fn no_path_leads_out_of_the_site() -> io::Result<()> {
    let around = site()?;
    let address = serving(around.path()).await?;
    let whole = around.path().join("secret.txt").display().to_string();
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/api/../../secret.txt",
        "/api/%2E%2E/%2e./secret.txt",
        "/..%2fsecret.txt",
        "/api/..%2f..%2fsecret.txt",
        "/%2e%2e%5csecret.txt",
        "/..\\secret.txt",
        "/%252e%252e/secret.txt",
        "/index.html%00",
        "/%00",
        "/../secret.txt%00.html",
        &format!("/{whole}"),
        &whole.replace('/', "%2f"),
        &format!("/{}", whole.replace('/', "%2f")),
        &format!("//{whole}"),
    ] {
        let answer = ask(address, "GET", path).await?;
        assert!(answer.status == 404 || answer.status == 400, "{path}: {}", answer.status);
        assert!(!answer.body.contains("not for you"), "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_redirect_never_leads_to_another_host() -> io::Result<()> {
    let around = site()?;
    let address = serving(around.path()).await?;
    for path in ["//api", "///api", "/%2fapi", "//example.com/..%2fapi"] {
        let answer = ask(address, "GET", path).await?;
        assert!(
            answer.header("location").is_none_or(|to| !to.starts_with("//")),
            "{path}: {:?}",
            answer.header("location")
        );
    }
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn a_symbolic_link_is_followed_within_the_site_and_not_out_of_it() -> io::Result<()> {
    use std::os::unix::fs::symlink;

    let around = site()?;
    let site = around.path().join("site");
    symlink("index.html", site.join("start.html"))?;
    symlink("../secret.txt", site.join("secret.txt"))?;
    symlink("..", site.join("up"))?;
    symlink("../../secret.txt", site.join("empty/index.html"))?;
    let address = serving(around.path()).await?;
    assert_eq!(ask(address, "GET", "/start.html").await?.body, "<h1>book</h1>");
    for path in ["/secret.txt", "/up/secret.txt", "/up/site/../secret.txt", "/up/", "/up", "/empty/", "/empty"] {
        let answer = ask(address, "GET", path).await?;
        assert_eq!((answer.status, answer.body.as_str()), (404, "<h1>lost</h1>"), "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_folder_is_not_served() -> io::Result<()> {
    let around = site()?;
    assert!(serve::bind(&around.path().join("none"), 0).await.is_err());
    assert!(serve::bind(&around.path().join("site/index.html"), 0).await.is_err());
    Ok(())
}

#[test]
fn a_port_that_is_taken_is_named() -> io::Result<()> {
    let taken = serve::listener(Some(0))?;
    let port = taken.local_addr()?.port();
    let why = serve::listener(Some(port)).expect_err("taken").to_string();
    assert!(why.starts_with(&format!("port {port} of 127.0.0.1: ")), "{why}");
    Ok(())
}

#[test]
fn where_none_is_asked_for_there_is_always_a_port() -> io::Result<()> {
    // The first of them has the usual one, or somebody else has.
    let (one, other) = (serve::listener(None)?, serve::listener(None)?);
    assert_ne!(one.local_addr()?.port(), other.local_addr()?.port());
    assert_ne!(other.local_addr()?.port(), serve::PORT);
    Ok(())
}
