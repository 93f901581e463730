//! `cargo xtask docs`: builds the site, and shows it.

use std::{io, path::PathBuf, process::ExitCode, thread};

use clap::Parser;
use evenkeel_site::{
    build::{self, Options},
    serve,
    sheets::Sheets,
    watch,
};

/// Builds the site: the book, with charts that the lab draws on the way, and the API.
#[derive(Debug, Parser)]
#[command(name = "docs", bin_name = "cargo xtask docs")]
struct Args {
    /// Where the site is put: `target/site`, or `target/site-quick` with `--quick`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// What rustdoc has made of the libraries (`doc`) and of the chapters (`chapters`); without it the site has no API
    #[arg(long, value_name = "DIR")]
    api: Option<PathBuf>,

    /// Charts from few repetitions, for a look: the figures are less exact
    #[arg(long)]
    quick: bool,

    /// Show it in the browser
    #[arg(long)]
    open: bool,

    /// Serve it on this machine until interrupted, and build it again when a chapter changes
    #[arg(long)]
    serve: bool,

    /// The port to serve it on; 0 is any that is free. Without it, 3000, or any that is free where that is taken
    #[arg(long, value_name = "N", requires = "serve")]
    port: Option<u16>,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("docs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> io::Result<()> {
    let out = args.out.unwrap_or_else(|| if args.quick { "target/site-quick" } else { "target/site" }.into());
    let options = Options { quick: args.quick, api: args.api, ..Options::new(out) };
    // Before the charts are drawn, which takes minutes.
    let listener = if args.serve { Some(serve::listener(args.port)?) } else { None };
    let mut sheets = Sheets::new(options.quick);
    build::build(&options, &mut sheets)?;
    let index = options.out.join("index.html");
    println!("{}", index.canonicalize()?.display());
    let Some(listener) = listener else {
        return if args.open { opener::open(index).map_err(io::Error::other) } else { Ok(()) };
    };
    let address = listener.local_addr()?;
    if args.port.is_none() && address.port() != serve::PORT {
        println!("port {} is taken: this is another", serve::PORT);
    }
    let site = options.out.clone();
    thread::spawn(move || watch::watch(&options, &mut sheets));
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let serving = serve::on(&site, listener)?;
        let url = format!("http://{address}/");
        println!("{url}");
        if args.open {
            opener::open_browser(url).map_err(io::Error::other)?;
        }
        serving.await
    })
}
