//! The stack on smol: tasks on two threads share one breaker and one budget, a prober finds out when the service is well.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use evenkeel_backoff::{Exponential, Retry, TokenBudget, Verdict};
use evenkeel_breaker::{Breaker, Error, State};
use evenkeel_hedging::Hedge;
use smol::{
    Executor, Timer,
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    stream::StreamExt,
};

type Failure = Error<io::Error>;

const WORKERS: u32 = 8;
const QUESTIONS: u32 = 25; // of each

fn main() -> io::Result<()> {
    let executor = Executor::new();
    let (running, ended) = smol::channel::bounded::<()>(1);
    thread::scope(|scope| {
        for _ in 0..2 {
            // Until `running` is dropped, with what is below or when that panics.
            scope.spawn(|| smol::block_on(executor.run(ended.recv())));
        }
        smol::block_on(async {
            let _running = running;
            incident(&executor).await
        })
    })
}

async fn incident(executor: &Executor<'_>) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = Arc::new(Server::default());
    // A task of smol's is cancelled when it is dropped: the server and the prober end with this function.
    let _serving = executor.spawn(Arc::clone(&server).serve(listener));

    let breaker = Breaker::builder().consecutive_failures(5).build().expect("settings in their ranges");
    let budget = TokenBudget::sized_for(1_000);
    let retry = Retry::new(Exponential::new(Duration::from_millis(2)).take(4), Timer::after)
        .when(again)
        .budget(budget.clone())
        .attempt_timeout(Duration::from_secs(5), || Error::Inner(io::ErrorKind::TimedOut.into()));
    // By time alone: what has failed is the retry's business, which waits before it asks again.
    let hedge = Hedge::after(Duration::from_millis(20), Timer::after).when(late_alone).budget(budget.clone());
    let client = Arc::new({
        let breaker = breaker.clone();
        async move |question: u32| {
            // The breaker is inside of both: it counts every attempt, and the loser of a race counts for nothing.
            let breaker = &breaker;
            let one = |retries| hedge.run(move |hedges| breaker.call(ask(address, [question, retries, hedges])));
            retry.run(one).await
        }
    });
    let everyone = async || {
        let work = |worker: u32| {
            let client = Arc::clone(&client);
            executor.spawn(async move {
                let mut answers = 0;
                for question in 0..QUESTIONS {
                    if let Ok(answer) = client(worker * QUESTIONS + question).await {
                        assert_eq!(answer, format!("{} and no less", worker * QUESTIONS + question));
                        answers += 1;
                    }
                }
                answers
            })
        };
        let tasks: Vec<_> = (0..WORKERS).map(work).collect();
        let mut answers = 0;
        for task in tasks {
            answers += task.await;
        }
        answers
    };

    let mut transitions = breaker.transitions();
    let _probing = executor
        .spawn(breaker.prober(Timer::after, move || ask(address, [PING, 0, 0])).every([Duration::from_millis(10)]));
    assert_eq!(everyone().await, 0, "it is down");
    let calls = server.calls();
    println!("down: {} questions, of which the server has seen {calls}", WORKERS * QUESTIONS);
    assert!(calls <= 40, "five that opened the breaker, and those that the workers had in flight: {calls}");
    assert_ne!(breaker.state(), State::Closed);

    server.is_well.store(true, Ordering::Relaxed);
    while let Some(transition) = transitions.next().await {
        println!("{} to {}: {:?}", transition.from, transition.to, transition.cause);
        if transition.to == State::Closed {
            break;
        }
    }

    assert_eq!(everyone().await, WORKERS * QUESTIONS, "all are answered");
    let calls = server.calls();
    println!("well, but one first call in twenty fails and one is silent: {calls} calls, and all are answered");
    assert!((220..400).contains(&calls), "one more for each of those, and what the budget leaves: {calls}");
    println!("the budget has {} of {} tokens left", budget.balance(), budget.capacity());
    Ok(())
}

/// What is asked is a line: a question, and which retry and which hedge of it this is. Dropped, it closes the connection.
async fn ask(server: SocketAddr, [question, retries, hedges]: [u32; 3]) -> io::Result<String> {
    let mut connection = TcpStream::connect(server).await?;
    connection.write_all(format!("{question} {retries} {hedges}\n").as_bytes()).await?;
    let mut answer = String::new();
    BufReader::new(connection).read_line(&mut answer).await?;
    match answer.trim_end() {
        "busy" => Err(io::ErrorKind::ConnectionReset.into()),
        "" => Err(io::ErrorKind::UnexpectedEof.into()),
        answer => Ok(answer.to_owned()),
    }
}

/// Whether to ask again after a wait. What the breaker has rejected was not sent; here it is an answer.
fn again(answer: &Result<String, Failure>) -> Verdict {
    match answer {
        Ok(_) => Verdict::success(),
        Err(Error::Open(_)) => Verdict::permanent(),
        Err(Error::Inner(_)) => Verdict::transient(),
    }
}

/// What has failed ends the race, with its own error.
fn late_alone(answer: &Result<String, Failure>) -> Verdict {
    if answer.is_ok() { Verdict::success() } else { Verdict::permanent() }
}

/// The prober's question, which is none of those that are counted.
const PING: u32 = u32::MAX;

#[derive(Default)]
struct Server {
    is_well: AtomicBool,
    calls: AtomicU32,
}

impl Server {
    fn calls(&self) -> u32 {
        self.calls.swap(0, Ordering::Relaxed)
    }

    async fn serve(self: Arc<Self>, listener: TcpListener) {
        // The connections are this task's, and end with it.
        let connections = Executor::new();
        let accept = async {
            while let Ok((connection, _)) = listener.accept().await {
                let server = Arc::clone(&self);
                connections.spawn(async move { server.answer(connection).await }).detach();
            }
        };
        connections.run(accept).await;
    }

    async fn answer(&self, mut connection: TcpStream) -> io::Result<()> {
        let mut asked = String::new();
        BufReader::new(connection.clone()).read_line(&mut asked).await?;
        let numbers: Vec<u32> = asked.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        let [question, retries, hedges] = numbers[..] else { return Ok(()) };
        if question != PING {
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
        let answer = match question % 20 {
            _ if !self.is_well.load(Ordering::Relaxed) => "busy\n".to_owned(),
            7 if retries == 0 => "busy\n".to_owned(),
            // Until the client has had enough.
            13 if hedges == 0 => return gone(connection).await,
            _ => format!("{question} and no less\n"),
        };
        connection.write_all(answer.as_bytes()).await
    }
}

/// When the other side has closed the connection.
async fn gone(connection: TcpStream) -> io::Result<()> {
    BufReader::new(connection).read_line(&mut String::new()).await.map(drop)
}

#[test]
fn it_runs() -> io::Result<()> {
    main()
}
