import pytest
from django.db import connection
from vteam import clock
from vteam.journal.services import record_fact
from vteam.jobs.moving import Mover, InboxTable
from vteam.ledger import queries, replay, verify
from vteam.rules import facts
from vteam.rules.missions import Mission
pytestmark = pytest.mark.django_db(transaction=True)

def test_it():
    now = clock.now_us(); C=7
    season={"starts_at_us": now-10**9, "ends_at_us": now+10**12, "time_zone":"Europe/Paris"}
    rec=lambda f: record_fact(campaign_id=C, fact=f)
    rec(facts.campaign_versioned(version=1, season=season, sha256="x", at_us=now))
    for k,kind,p,h in (("r","recruit",500,10),("s","spread",50,0),("d","download",50,0)):
        rec(facts.mission_versioned(mission=Mission(key=k,version=1,kind=kind,points=p,from_us=now-5,opens_at_us=now-10**9,closes_at_us=now+10**12,hold_us=h,per_network_per_day=2).body(), at_us=now))
    rec(facts.fan_confirmed(fan=1,recruiter=None,share=None,network="n",same_session=False,at_us=now))
    rec(facts.fan_confirmed(fan=2,recruiter=1,share=3,network="n",same_session=False,at_us=now))
    for s in range(5):
        rec(facts.arrival_confirmed(share=s,owner=1,networks=("a","n","w"),day="2026-01-01",by=None,act="stayed",at_us=now))
    rec(facts.title_downloaded(fan=2,title=1,at_us=now))
    rec(facts.title_downloaded(fan=2,title=1,at_us=now))
    assert Mover(InboxTable()).move()==13
    from vteam.ledger.services import end_due_holds, reverse_award, decide_review
    assert end_due_holds(at_us=now+100, at_most=10)==1
    decide_review(campaign_id=C, decision=4, accepted=True, reason="ok", at_us=now)
    decide_review(campaign_id=C, decision=5, accepted=False, reason="no", at_us=now)
    Mover(InboxTable()).move()
    for d in queries.decisions_of(C,1,at_most=50): print(d.seq,d.fact_seq,d.decision)
    print(queries.neighbours(C,1), queries.top(C,at_most=5), queries.waiting_for_review(C,at_most=9))
    assert verify.verify(connection,C) is None
    assert replay.replay(connection,C) is None
    assert queries.points_of(C,1)==(650,50)
