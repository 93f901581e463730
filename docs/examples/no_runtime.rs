//! No runtime: the four crates on a bare executor, a timer of its own thread, and futures that never leave theirs.

use std::{
    cell::{Cell, RefCell},
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    rc::Rc,
    thread,
    time::Duration,
};

use evenkeel_backoff::{Exponential, Retry, TokenBudget, Verdict};
use evenkeel_breaker::{Breaker, Error, State};
use evenkeel_hedging::Hedge;
use futures::{
    channel::oneshot,
    executor::{LocalPool, block_on},
    future::join_all,
    task::LocalSpawnExt,
};
use futures_timer::Delay;

#[path = "support/blocking_server.rs"]
mod blocking_server;
use blocking_server::Server;

fn main() -> io::Result<()> {
    retried()?;
    hedged()?;
    many_on_one_thread()
}

/// A thread that blocks is all that a future needs.
fn retried() -> io::Result<()> {
    let server = Server::start(|connection, number| if number < 2 { Ok(()) } else { reply(connection, "here") })?;
    let retry =
        Retry::new(Exponential::new(Duration::from_millis(2)).take(4), Delay::new).budget(TokenBudget::default());

    assert_eq!(block_on(retry.run(|_| ask(server.address)))?, "here");
    println!("retried: an answer after {} calls", server.calls());
    Ok(())
}

fn hedged() -> io::Result<()> {
    let server =
        Server::start(|connection, number| if number == 0 { silence(connection) } else { reply(connection, "here") })?;
    let hedge = Hedge::after(Duration::from_millis(5), Delay::new).budget(TokenBudget::default());

    assert_eq!(block_on(hedge.run(|_| ask(server.address)))?, "here");
    println!("hedged: an answer, and the first call of {} is still silent", server.calls());
    Ok(())
}

/// Nothing here is `Send` or asked to be: not the operation, nor the sleeper, nor the classifier.
fn many_on_one_thread() -> io::Result<()> {
    let server = Server::start(|connection, _| {
        drop(connection); // down
        Ok(())
    })?;
    let breaker = Rc::new(
        Breaker::builder()
            .consecutive_failures(5)
            .open_for([Duration::from_secs(60)])
            .build()
            .expect("settings in their ranges"),
    );
    let budget = TokenBudget::default();
    let (asked, waits) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(Vec::new())));

    let mut pool = LocalPool::new();
    let spawner = pool.spawner();
    let task = |_| {
        let (breaker, asked, waits, address) =
            (Rc::clone(&breaker), Rc::clone(&asked), Rc::clone(&waits), server.address);
        let sleep = move |delay| {
            waits.borrow_mut().push(delay);
            Delay::new(delay)
        };
        let retry =
            Retry::new(Exponential::new(Duration::from_millis(2)).take(4), sleep).budget(budget.clone()).when(again);
        let request = async move {
            asked.set(asked.get() + 1);
            retry.run(|_| breaker.call(ask(address))).await
        };
        spawner.spawn_local_with_handle(request).expect("the pool is there")
    };
    let answers = pool.run_until(join_all((0..50).map(task)));

    assert_eq!(asked.get(), 50);
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(breaker.state(), State::Open);
    let (calls, waits) = (server.calls(), waits.borrow().len());
    // Those that were in flight when it opened, and no retry of theirs.
    assert!(calls <= 50 + 35, "the budget has 35 retries at most, and the breaker leaves less: {calls}");
    println!("many: 50 requests at once, {calls} calls, {waits} waits for a retry; the breaker is {}", breaker.state());
    let rejected = block_on(breaker.call(ask(server.address))).unwrap_err();
    println!("the next one: {rejected}");
    assert_eq!(server.calls(), 0);
    Ok(())
}

fn again<T>(answer: &Result<T, Error<io::Error>>) -> Verdict {
    match answer {
        Ok(_) => Verdict::success(),
        Err(Error::Open(_)) => Verdict::permanent(),
        Err(Error::Inner(_)) => Verdict::transient(),
    }
}

/// Without a reactor, whoever waits for the network is a thread. Where the future is dropped, the thread goes on to its end: it
/// has a time limit of its own.
async fn ask(server: SocketAddr) -> io::Result<String> {
    let (answer, answered) = oneshot::channel();
    thread::spawn(move || answer.send(exchange(server)));
    answered.await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))
}

fn exchange(server: SocketAddr) -> io::Result<String> {
    let connection = TcpStream::connect_timeout(&server, Duration::from_secs(2))?;
    connection.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut answer = String::new();
    BufReader::new(connection).read_line(&mut answer)?;
    if answer.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(answer.trim_end().to_owned()) }
}

fn reply(mut connection: TcpStream, answer: &str) -> io::Result<()> {
    writeln!(connection, "{answer}")
}

/// Until the client has had enough.
fn silence(connection: TcpStream) -> io::Result<()> {
    BufReader::new(connection).read_line(&mut String::new()).map(drop)
}

#[test]
fn it_runs() -> io::Result<()> {
    main()
}
