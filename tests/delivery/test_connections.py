from __future__ import annotations

import asyncio
from collections import deque
from unittest import IsolatedAsyncioTestCase
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.connections import Connection
from delivery.smtp import Timeouts
from tests.delivery.dialogue import Sending, codes, scripted, send
from tests.delivery.sink import Letter, Sink


class PipeliningTest(IsolatedAsyncioTestCase):
    async def test_it_sends_everything_in_order(self) -> None:
        sink = Sink()
        sending = await send(sink, 5)
        self.assertEqual(codes(sending), [250] * 5)
        self.assertEqual(sink.accepted, [(letter.recipient.decode(), letter.body) for letter in sending.letters])
        self.assertEqual((sending.connection.settled, sending.connection.trouble, sink.faults), (5, None, []))

    async def test_dot_and_next_envelope_leave_in_one_flight(self) -> None:
        sink = Sink()
        await send(sink, 2)
        self.assertTrue(any(b"\r\n.\r\nMAIL FROM:<b+1@" in flight for flight in sink.flights))

    async def test_it_goes_in_lock_step_without_the_extension(self) -> None:
        sink = Sink(extensions=())
        sending = await send(sink, 3)
        self.assertEqual((codes(sending), sink.faults), ([250] * 3, []))

    async def test_reply_keeps_text_command_and_host(self) -> None:
        sending = await send(Sink(script=scripted(RCPT_1="550-5.1.1 no such\r\n550 5.1.1 user here")), 1)
        reply = sending.letters[0].reply
        self.assertEqual((reply.code, reply.enhanced, reply.text), (550, "5.1.1", "5.1.1 no such user here"))
        self.assertEqual((reply.command, reply.host), ("rcpt", "127.0.0.1"))

    async def test_size_is_told_where_it_is_offered(self) -> None:
        told: list[str] = []
        sink = Sink(extensions=("SIZE 1000000", "PIPELINING"))
        sink.script = lambda verb, argument: told.append(argument) if verb == "MAIL" else None
        sending = await send(sink, 1)
        self.assertEqual(told, [f"FROM:<b+0@out.example.jp> SIZE={len(sending.letters[0].body)}"])

    async def test_idle_connection_takes_what_comes_later(self) -> None:
        async with Sink() as sink:
            sending = Sending(sink, [Letter(0)])
            await sending.start()
            await asyncio.sleep(0.05)
            late = Letter(1)
            sending.waiting.append(late)
            sending.connection.wake()
            sending.connection.close()
            await sending.ended.wait()
        self.assertEqual((late.reply.code, sink.sessions), (250, 1))

    async def test_it_quits_when_idle_for_long(self) -> None:
        async with Sink() as sink:
            sending = Sending(sink, [Letter(0)], timeouts=Timeouts(idle=0.05))
            await sending.start()
            await asyncio.wait_for(sending.ended.wait(), 2)
        self.assertEqual((sink.verbs[-1], sending.connection.trouble), ("QUIT", None))

    async def test_it_quits_after_its_share_of_messages(self) -> None:
        async with Sink() as sink:
            sending = Sending(sink, [Letter(n) for n in range(5)], most_messages=2)
            await sending.start()
            await asyncio.wait_for(sending.ended.wait(), 2)
        self.assertEqual((len(sink.accepted), len(sending.waiting), sink.verbs[-1]), (2, 3, "QUIT"))

    async def test_it_quits_after_its_time(self) -> None:
        async with Sink(delay=lambda verb, _argument: 0.02 if verb == "DOT" else 0.0) as sink:
            sending = Sending(sink, [Letter(n) for n in range(50)], most_seconds=0.1, timeouts=Timeouts())
            await sending.start()
            await asyncio.wait_for(sending.ended.wait(), 5)
        self.assertEqual((len(sink.accepted) + len(sending.waiting), sink.verbs[-1]), (50, "QUIT"))
        self.assertTrue(sending.waiting)

    async def test_too_big_a_message_is_not_sent(self) -> None:
        sink = Sink(extensions=("SIZE 1000", "PIPELINING"))
        async with sink:
            sending = Sending(sink, [Letter(0), Letter(1, 2_000), Letter(2)])
            await sending.all()
        self.assertEqual((codes(sending), len(sink.accepted)), ([250, 552, 250], 2))
        self.assertEqual((sending.letters[1].reply.enhanced, sink.verbs.count("MAIL")), ("5.3.4", 2))

    async def test_size_without_a_limit_takes_everything(self) -> None:
        for size in ("SIZE", "SIZE 0"):
            self.assertEqual(codes(await send(Sink(extensions=(size,)), 1)), [250])


class RefusalTest(IsolatedAsyncioTestCase):
    async def test_refused_recipient_harms_nobody_else(self) -> None:
        for extensions in ((), ("PIPELINING",)):
            sink = Sink(script=scripted(RCPT_2="550 5.1.1 unknown"), extensions=extensions)
            sending = await send(sink, 3)
            self.assertEqual((codes(sending), sink.faults), ([250, 550, 250], []))
            self.assertIn("RSET", sink.verbs)

    async def test_data_opened_without_recipient_is_ended_by_a_lone_dot(self) -> None:
        sink = Sink(script=scripted(RCPT_1="550 5.1.1 unknown", RCPT_3="450 4.2.1 later"), opens_data_always=True)
        sending = await send(sink, 4)
        self.assertEqual((codes(sending), sink.faults, len(sink.accepted)), ([550, 250, 450, 250], [], 2))
        self.assertEqual((sink.sessions, sending.letters[0].dots), (1, 0))

    async def test_refused_sender_with_opened_data_ends_the_session(self) -> None:
        def script(verb: str, argument: str) -> str | None:
            return "550 5.7.1 no" if verb == "MAIL" else None

        sink = Sink(script=script, opens_data_always=True)
        sending = await send(sink, 1)
        self.assertEqual((codes(sending), sink.accepted), ([550], []))

    async def test_refused_data(self) -> None:
        for extensions in ((), ("PIPELINING",)):
            sink = Sink(script=scripted(DATA_1="554 5.7.1 no", DOT_2="554 5.7.1 spam"), extensions=extensions)
            sending = await send(sink, 3)
            self.assertEqual((codes(sending), sink.faults), ([554, 250, 554], []))
            self.assertEqual([letter.reply.command for letter in sending.letters], ["data", "dot", "dot"])

    async def test_refused_reset_ends_the_session_and_the_next_goes_back(self) -> None:
        sending = await send(Sink(script=scripted(RCPT_1="550 5.1.1 unknown", RSET="500 5.5.2 what")), 2)
        self.assertEqual((codes(sending), sending.back), ([550, None], [sending.letters[1]]))

    async def test_address_with_a_line_end_is_never_written(self) -> None:
        bad = Letter(1)
        bad.recipient = b"a@example.jp>\r\nRCPT TO:<b@example.jp"
        async with Sink() as sink:
            sending = Sending(sink, [Letter(0), bad, Letter(2)])
            await sending.all()
        self.assertEqual((bad.reply.code, sink.verbs.count("RCPT")), (553, 2))

    async def test_foreign_letters_need_smtputf8(self) -> None:
        for extensions, code in ((("PIPELINING",), 553), (("SMTPUTF8", "8BITMIME", "PIPELINING"), 250)):
            letter = Letter(0)
            letter.recipient = "花子@example.jp".encode()
            async with Sink(extensions=extensions) as sink:
                await Sending(sink, [letter]).all()
            self.assertEqual(letter.reply.code, code)


class BreakTest(IsolatedAsyncioTestCase):
    async def test_421_on_a_used_connection_puts_the_message_back(self) -> None:
        for verb in ("MAIL_2", "RCPT_2", "DATA_2"):
            sending = await send(Sink(script=scripted(**{verb: "421 4.3.2 going down"})), 2)
            self.assertEqual((codes(sending), sending.back), ([250, None], [sending.letters[1]]))
            self.assertEqual(sending.letters[1].ends, 0)

    async def test_421_on_a_fresh_connection_is_the_messages_own(self) -> None:
        sending = await send(Sink(script=scripted(RCPT="421 4.7.0 try later")), 1)
        self.assertEqual((sending.letters[0].reply.code, sending.letters[0].reply.command), (421, "rcpt"))

    async def test_421_at_the_dot_is_a_refusal_and_the_next_goes_back(self) -> None:
        sending = await send(Sink(script=scripted(DOT_1="421 4.3.2 going down")), 2)
        self.assertEqual((codes(sending), sending.back), ([421, None], [sending.letters[1]]))

    async def test_drop_before_the_dot_is_no_reply_to_that_command(self) -> None:
        for verb, command in (("MAIL", "mail"), ("RCPT", "mail"), ("DATA", "mail")):
            sending = await send(Sink(script=scripted(**{verb: "drop"})), 1)
            reply = sending.letters[0].reply
            self.assertEqual(reply.code, 0)
            self.assertIn(reply.command, ("mail", "rcpt", "data"), (verb, command))

    async def test_drop_after_the_dot_is_unknown(self) -> None:
        for script in (
            scripted(DOT_2="drop"),
            scripted(DOT_2="keep"),
            scripted(DOT_2="silence"),
            scripted(DOT_2="bye"),
        ):
            sending = await send(Sink(script=script), 3)
            second = sending.letters[1].reply
            self.assertEqual((second.code, second.command), (0, "dot"))
            self.assertEqual(sending.back, [sending.letters[2]])

    async def test_next_message_goes_back_when_the_very_first_dot_is_lost(self) -> None:
        sending = await send(Sink(script=scripted(DOT_1="drop")), 2)
        self.assertEqual((codes(sending), sending.back), ([0, None], [sending.letters[1]]))

    async def test_nonsense_ends_the_session(self) -> None:
        for nonsense in ("what?", "\0\0\0", "2a0 ok", "354 go on", "199 hm", "x" * 9000, "250-" + "\r\n250-" * 300):
            sending = await send(Sink(script=scripted(DOT_1=nonsense)), 2)
            first = sending.letters[0].reply
            self.assertEqual((first.code, first.command), (0, "dot"), nonsense[:10])

    async def test_reply_cut_in_pieces_is_read(self) -> None:
        sink = Sink(script=scripted(DOT="250-2.0.0 thanks\r\n250 2.0.0 queued \0 as 花"))
        whole = Connection.data_received

        def piecewise(connection: Connection, data: bytes) -> None:
            for place in range(len(data)):
                whole(connection, data[place : place + 1])

        with patch.object(Connection, "data_received", piecewise):
            sending = await send(sink, 3)
        self.assertEqual(codes(sending), [250] * 3)
        self.assertEqual(sending.letters[0].reply.text, "2.0.0 thanks queued \ufffd as 花")

    async def test_refusal_in_the_middle_of_a_body_is_its_reply(self) -> None:
        async with Sink(reads_slowly=True) as sink:
            letter = Letter(0, 20_000_000)
            sending = Sending(sink, [letter], timeouts=Timeouts())
            await sending.start()
            while not sending.connection._is_draining:
                await asyncio.sleep(0.001)
            sending.connection.data_received(b"552 5.3.4 too big\r\n")
        self.assertEqual((letter.reply.code, letter.reply.command, letter.dots), (552, "data", 0))

    async def test_dot_of_a_large_body_waits_until_the_kernel_has_it(self) -> None:
        async with Sink(reads_slowly=True) as sink:
            letter, small = Letter(0, 12_000_000), Letter(1)
            sending = Sending(sink, [letter, small], timeouts=Timeouts())
            await sending.start()
            await asyncio.sleep(0.02)
            self.assertEqual((letter.dots, sending.connection._is_draining), (0, True))
            await sending.all() if sending.connection.is_closed else None
            while not small.ends:
                await asyncio.sleep(0.005)
            sending.connection.abandon(0)
        self.assertEqual((len(sink.accepted), sink.accepted[0][1] == letter.body), (2, True))


class GuardTest(IsolatedAsyncioTestCase):
    async def test_what_may_not_begin_is_returned_and_the_connection_lives_on(self) -> None:
        async with Sink() as sink:
            sending = Sending(sink, [Letter(0), Letter(1, may_begin=False), Letter(2)])
            await sending.all()
        self.assertEqual((codes(sending), sending.letters[1].returns, sink.sessions), ([250, None, 250], 1, 1))

    async def test_withheld_dot_closes_the_connection_without_it(self) -> None:
        async with Sink() as sink:
            sending = Sending(sink, [Letter(0), Letter(1, may_go=False), Letter(2)])
            await sending.all()
        self.assertEqual((codes(sending), sending.letters[1].returns), ([250, None, None], 1))
        self.assertEqual((sending.back, sending.connection.trouble), ([sending.letters[2]], None))
        self.assertEqual([recipient for recipient, _body in sink.accepted], ["0@example.jp"])

    async def test_abandon_returns_what_has_no_dot_and_waits_for_the_other(self) -> None:
        async with Sink(script=scripted(DOT_1="silence")) as sink:
            sending = Sending(sink, [Letter(0), Letter(1), Letter(2)], timeouts=Timeouts())
            await sending.start()
            while not sending.letters[0].dots:
                await asyncio.sleep(0.001)
            sending.connection.abandon(5)
            self.assertEqual((sending.letters[0].ends, sending.letters[1].returns), (0, 1))
            next(iter(sink.open)).send("250 2.0.0 at last")
            await asyncio.wait_for(sending.ended.wait(), 2)
        self.assertEqual((sending.letters[0].reply.code, len(sending.waiting)), (250, 1))

    async def test_abandon_has_a_deadline(self) -> None:
        async with Sink(script=scripted(DOT_1="silence")) as sink:
            sending = Sending(sink, [Letter(0)], timeouts=Timeouts())
            await sending.start()
            while not sending.letters[0].dots:
                await asyncio.sleep(0.001)
            sending.connection.abandon(0.05)
            await asyncio.wait_for(sending.ended.wait(), 2)
        self.assertEqual((sending.letters[0].reply.code, sending.letters[0].reply.command), (0, "dot"))


MOVES = st.sampled_from(
    [None] * 6
    + ["421 4.3.2 bye", "450 4.2.1 later", "550 5.1.1 unknown", "drop", "keep", "bye", "silence", "354 what", "250 ok"]
    + ["nonsense", "250-many\r\n250 lines"]
)


class AnyServerTest(IsolatedAsyncioTestCase):
    @settings(max_examples=150, deadline=None)
    @given(
        moves=st.lists(MOVES, max_size=40),
        is_pipelining=st.booleans(),
        opens_data_always=st.booleans(),
        guards=st.lists(st.sampled_from([True, True, True, False]), min_size=6, max_size=6),
        abandons_after=st.sampled_from([None, None, 0.0, 0.005]),
    )
    def test_each_transaction_ends_once_and_truly(
        self,
        moves: list[str | None],
        is_pipelining: bool,
        opens_data_always: bool,
        guards: list[bool],
        abandons_after: float | None,
    ) -> None:
        replies = deque(moves)
        sink = Sink(opens_data_always=opens_data_always, extensions=("PIPELINING",) if is_pipelining else ())
        sink.script = lambda verb, _argument: (
            replies.popleft() if replies and verb not in ("greeting", "EHLO") else None
        )
        letters = [Letter(n, may_go=may_go) for n, may_go in enumerate(guards)]
        asyncio.run(self.send(sink, letters, abandons_after))
        accepted = [recipient.encode() for recipient, _body in sink.accepted]
        self.assertEqual(sink.faults, [])
        for letter in letters:
            copies = accepted.count(letter.recipient)
            self.assertLessEqual(copies, 1)
            self.assertEqual(letter.ends, 1)
            if letter.returns or not letter.may_go:
                self.assertEqual(copies, 0)
            elif letter.reply.is_positive:
                self.assertEqual((letter.reply.command, copies), ("dot", 1))
            elif copies:
                self.assertEqual((letter.reply.code, letter.reply.command), (0, "dot"))

    async def send(self, sink: Sink, letters: list[Letter], abandons_after: float | None) -> None:
        """Send over as many connections as it takes; what is put back goes over the next one."""
        waiting = deque(letters)
        quick = Timeouts(mail=0.03, rcpt=0.03, data=0.03, dot=0.03, rset=0.03, quit=0.01, greeting=1, ehlo=1)
        async with sink:
            while waiting:
                sending = Sending(sink, [], timeouts=quick)
                sending.waiting, sending.back = waiting, []
                await sending.start()
                if abandons_after is not None:
                    await asyncio.sleep(abandons_after)
                    sending.connection.abandon(0.01)
                while not sending.connection.is_closed and not sending.connection.is_idle:
                    await asyncio.sleep(0)
                sending.connection.close()
                await asyncio.wait_for(sending.ended.wait(), 5)
                waiting.extendleft(sending.back)
                if abandons_after is not None:
                    for letter in waiting:
                        letter.returned()
                    waiting.clear()
