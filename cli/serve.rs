//! `patchbay serve`: the API and the page in one process, with the sweep on a timer.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use patchbay::{
    app::App,
    config::{Config, PORT_DEFAULT},
    system::System,
};
use tokio::net::TcpListener;

use super::{Environment, Failure, demo::FirstRun, pages, stop::Stop};

/// How often the server sweeps. What is due waits this long at most; renewals on demand do not wait for it.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// How long one pass may take for grants, and as long again for exports.
const SWEEP_TIME: Duration = Duration::from_secs(50);

/// How long requests and renewals under way are waited for when the server is told to stop: as long as a provider may
/// take (10 s), and a moment to write down what it said. Docker kills after 10 s unless told otherwise, systemd after 90.
const DRAIN: Duration = Duration::from_secs(12);

/// A first run looks for a free port this far above the usual one.
const FIRST_RUN_PORTS: u16 = 20;

pub(crate) async fn run(environment: &Environment) -> Result<(), Failure> {
    let system = System::real();
    let stop = Stop::listen()?;
    let (app, listener, first_run) = if Config::wants_demo(|name| environment.get(name)) {
        let listener = first_run_listener(environment).await?;
        let first_run = FirstRun::start(listener.local_addr()?, environment).await?;
        let config = Config::parse(|name| environment.get(name).or_else(|| first_run.fill(name)))?;
        let app = App::new(config, system.clone(), Some(first_run.demo.clone()))?;
        (app, listener, Some(first_run))
    } else {
        let config = Config::parse(|name| environment.get(name))?;
        let address = SocketAddr::from((config.host, config.port));
        let app = App::new(config, system.clone(), None)?;
        (app, listen(address).await?, None)
    };
    announce(&listener, first_run.as_ref())?;
    let sweeping = tokio::spawn(keep_warm(app.clone(), system.clone()));
    let router = pages::router().merge(app.router());
    let stopping = {
        let (stop, app) = (stop.clone(), app.clone());
        async move {
            stop.told().await;
            tracing::info!("stopping: what is under way is finished first");
            app.wind_down();
            // A sweep that is at its exports ends with the one in hand, which is written down first. One that is at its
            // grants begins nothing new; the renewals that it began go on by themselves.
            if !app.is_exporting() {
                sweeping.abort();
            }
        }
    };
    let served = async {
        axum::serve(listener, router)
            .with_graceful_shutdown(stopping)
            .await?;
        // Renewals and exports outlive those who asked for them.
        app.idle().await;
        Ok(())
    };
    tokio::select! {
        served = served => served,
        () = drained_too_long(stop, &system) => {
            tracing::warn!(
                idle = app.is_idle(),
                "stopped with work under way"
            );
            Ok(())
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| format!("cannot listen on {address}: {error}. Set PORT to a free one.").into())
}

/// A newcomer has not chosen a port, so a taken one is no reason to fail.
async fn first_run_listener(environment: &Environment) -> Result<TcpListener, Failure> {
    let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
    if let Some(port) = environment.get("PORT") {
        let port = port.trim().parse().map_err(|_| "PORT is not a port number")?;
        return listen(SocketAddr::from((host, port))).await;
    }
    for port in PORT_DEFAULT..PORT_DEFAULT + FIRST_RUN_PORTS {
        if let Ok(listener) = TcpListener::bind((host, port)).await {
            return Ok(listener);
        }
    }
    listen(SocketAddr::from((host, 0))).await
}

fn announce(listener: &TcpListener, first_run: Option<&FirstRun>) -> Result<(), Failure> {
    let address = listener.local_addr()?;
    println!("patchbay is ready: http://{address}");
    if let Some(first_run) = first_run {
        let plays = if first_run.demo.lastfm.is_some() {
            "Spotify and Last.fm"
        } else {
            "Spotify"
        };
        println!(
            "No SPOTIFY_CLIENT_ID is set, so a sandbox plays {plays}: {}",
            first_run.sandbox.url()
        );
        let kept = if first_run.keeps_documents {
            "Nothing in your DATABASE_URL can be opened again when you stop it: its key goes, too."
        } else {
            "Nothing is kept when you stop it."
        };
        println!("{kept} The README says what to set for the real Spotify.");
    }
    Ok(())
}

/// The sweep and the parked exports, for as long as the process lives.
async fn keep_warm(app: App, system: System) {
    loop {
        system.clock.sleep(SWEEP_EVERY).await;
        if let Err(error) = app.pass(SWEEP_TIME).await {
            tracing::error!(?error, "what is due could not be read");
        }
    }
}

async fn drained_too_long(stop: Stop, system: &System) {
    stop.told().await;
    system.clock.sleep(DRAIN).await;
}
