//! Limits failed logins. The counters are in the database: all instances share them, and they survive restarts.
//!
//! An attempt is counted before its password is verified, so that a client that does not wait for the response is counted too;
//! success takes the attempt back. A network (IPv4 /24, IPv6 /64) is *known* to a user who has logged in from it. Failures from
//! a known network have counters of their own: an attacker elsewhere cannot lock the user out.
//!
//! | failures counted | key (account, network) | limit | response beyond it |
//! |---|---|---|---|
//! | under one name, from networks unknown to its user | (hash of the name, -) | 5, then exponential back-off up to 15 minutes | `RATE_LIMITED` |
//! | under one name, from one known network | (hash of the name, network) | the same | `RATE_LIMITED` |
//! | under any name, from one address (IPv6 /64) unknown to the users | (-, address) | 100, which drain within 15 minutes | `RATE_LIMITED` |
//! | of one account, from unknown networks | (hash of the account, -) | 10, then back-off as above | as for a wrong password |
//! | of one account, from one known network | (hash of the account, network) | 100, then lockout until unlocked | as for a wrong password |
//!
//! The first three depend only on the request: user name and e-mail address count apart, and an unknown name is throttled like
//! a known one. The last two depend on the account and must not reveal it: their response is that of a wrong password, after
//! the same work. A name without an account has the same counters, so that every attempt runs the same statements.
//!
//! Success clears the counters of the name and the account: for a known network those of this network, otherwise those of the
//! unknown networks. Otherwise a traveling user would wait ever longer after each typing error. A client in a known network
//! learns little from this: only that some user has logged in from there.

mod attempt;
mod counters;
mod limit;
mod networks;

pub(super) use self::{
    attempt::LoginAttempt,
    counters::{remember_network, unlock},
};
