//! Bringing up `lo` in a network namespace of our own, so that tests can talk to servers on localhost.

use rustix::io;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, recv, send, socket};

/// `RTM_NEWLINK`, `NLM_F_REQUEST | NLM_F_ACK`, `IFF_UP`: linux/rtnetlink.h, linux/netlink.h, linux/if.h.
const NEW_LINK: u16 = 16;
const REQUEST_WITH_ANSWER: u16 = 0x5;
const UP: u32 = 1;
/// The first interface of every network namespace is its loopback.
const LOOPBACK: i32 = 1;
/// `NLMSG_ERROR`, which also says that there was none.
const ANSWER: u16 = 2;

pub(super) fn bring_up() -> io::Result<()> {
    let netlink = socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
    send(&netlink, &request(), SendFlags::empty())?;
    let mut answer = [0_u8; 128];
    let (length, _) = recv(&netlink, answer.as_mut_slice(), RecvFlags::empty())?;
    let kind = u16::from_ne_bytes([answer[4], answer[5]]);
    let error = i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]);
    match (length >= 20 && kind == ANSWER, error) {
        (true, 0) => Ok(()),
        (true, error) => Err(io::Errno::from_raw_os_error(-error)),
        (false, _) => Err(io::Errno::PROTO),
    }
}

/// A `nlmsghdr` and an `ifinfomsg`, both of 16 bytes.
fn request() -> Vec<u8> {
    let mut message = Vec::with_capacity(32);
    message.extend(32_u32.to_ne_bytes());
    message.extend(NEW_LINK.to_ne_bytes());
    message.extend(REQUEST_WITH_ANSWER.to_ne_bytes());
    message.extend([0; 8]);
    message.extend([0; 4]);
    message.extend(LOOPBACK.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message
}
