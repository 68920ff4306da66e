"""Debian's Postfix and Exim, unpacked but not installed, bouncing our mail on loopback as a plain user.

A machine can have but one mail server, and tests change nothing on it. So `.ci/need` only fetches the packages. The
libraries of cwrap.org show the servers a world in which they have users of their own (nss_wrapper), may change into them
(uid_wrapper), and ask a name server of ours (resolv_wrapper).
"""
