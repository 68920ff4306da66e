"""What readers and their programs ask for, by the token of a mail: no cookie, no session, no login.

GET and HEAD never change what somebody receives; GET of a link or a pixel only notes that it was fetched.
"""
