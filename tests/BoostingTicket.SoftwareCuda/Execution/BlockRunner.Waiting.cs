namespace BoostingTicket.SoftwareCuda.Execution;

internal sealed unsafe partial class BlockRunner
{
    private void Arrive(BarrierInstruction barrier, int* lanes, int count)
    {
        ulong* numbers = _block.Row(barrier.Barrier);
        for (int i = 0; i < count; i++)
        {
            int thread = lanes[i];
            uint number = (uint)numbers[thread];
            if (number >= Barriers)
                throw _block.Fault(barrier, thread, $"there is no barrier {number}: they are 0 to {Barriers - 1}");
            int expected = barrier.Threads < 0 ? _block.Threads : (int)(uint)_block.Row(barrier.Threads)[thread];
            if (barrier.Threads >= 0 && (expected % 32 != 0 || expected == 0))
                throw _block.Fault(barrier, thread, $"a barrier's threads must be a multiple of 32, not {expected}");
            _arrivals[number]++;
            if (barrier.Waits)
            {
                _status[thread] = AtBarrier;
                _barrierOf[thread] = (int)number;
            }
            if (_arrivals[number] >= expected)
                Release(barrier, (int)number);
        }
    }

    private void Release(BarrierInstruction barrier, int number)
    {
        ulong total = 0;
        int waiting = 0;
        for (int thread = 0; thread < _block.Threads; thread++)
        {
            if (_status[thread] != AtBarrier || _barrierOf[thread] != number)
                continue;
            Instruction at = _code[_places[thread] - 1];
            if (at != barrier && barrier.Threads < 0)
            {
                throw _block.Fault(
                    barrier, thread, "barrier not reached by all: this thread waits at another one, "
                    + $"'{at.Source.Text}' (PTX line {at.Source.Line})");
            }
            waiting++;
            if (barrier.Reduction != BarrierReduction.None)
                total += _block.Row(barrier.Predicate)[thread] ^ (barrier.Negated ? 1UL : 0);
        }
        ulong result = barrier.Reduction switch
        {
            BarrierReduction.And => total == (ulong)waiting ? 1UL : 0,
            BarrierReduction.Or => total > 0 ? 1UL : 0,
            _ => total,
        };
        for (int thread = 0; thread < _block.Threads; thread++)
        {
            if (_status[thread] != AtBarrier || _barrierOf[thread] != number)
                continue;
            _status[thread] = Running;
            if (barrier.Reduction != BarrierReduction.None)
                _block.Row(barrier.Destination)[thread] = result;
        }
        _arrivals[number] = 0;
        _block.Races.Barrier();
    }

    // Threads of a warp meet at an instruction that names the ones that take part.
    private void Meet(WarpInstruction instruction, int* lanes, int count)
    {
        int place = _places[lanes[0]];
        ulong* masks = _block.Row(instruction.Members);
        for (int i = 0; i < count; i++)
        {
            if (((uint)masks[lanes[i]] >> (lanes[i] & 31) & 1) == 0)
                throw _block.Fault(instruction, lanes[i], $"the thread is not among the members 0x{(uint)masks[lanes[i]]:x8}");
            _status[lanes[i]] = AtWarp;
        }
        int* members = stackalloc int[32];
        int last = -1;
        for (int i = 0; i < count; i++)
        {
            int warp = lanes[i] >> 5;
            if (warp == last && _status[lanes[i]] != AtWarp)
                continue;
            last = warp;
            uint mask = (uint)masks[lanes[i]];
            int found = Members(warp, mask, place, members);
            if (found < 0)
                continue;
            for (int j = 0; j < found; j++)
            {
                if ((uint)masks[members[j]] != mask)
                {
                    throw _block.Fault(
                        instruction, members[j],
                        $"the warp's threads name different members: 0x{(uint)masks[members[j]]:x8} and 0x{mask:x8}");
                }
                _status[members[j]] = Running;
            }
            instruction.Execute(_block, members, found);
            // The threads of a partial mask are ordered among themselves only, which the race detector cannot tell.
            if (found == Math.Min(32, _block.Threads - (warp << 5)))
                _block.Races.WarpExchange(warp);
        }
    }

    // The members that exist, when all of them wait at the place; -1 otherwise.
    private int Members(int warp, uint mask, int place, int* members)
    {
        int found = 0;
        for (int lane = 0; lane < 32 && (warp << 5) + lane < _block.Threads; lane++)
        {
            if ((mask >> lane & 1) == 0)
                continue;
            int thread = (warp << 5) + lane;
            if (_status[thread] != AtWarp || _places[thread] != place)
                return -1;
            members[found++] = thread;
        }
        return found;
    }

    private SoftwareCudaException Deadlock()
    {
        int waiting = Array.FindIndex(_status, 0, _block.Threads, status => status is AtBarrier or AtWarp);
        Instruction at = _code[_places[waiting] - 1];
        bool isBarrier = _status[waiting] == AtBarrier;
        int arrived = 0, absent = -1;
        for (int thread = 0; thread < _block.Threads; thread++)
        {
            bool concerned = isBarrier || thread >> 5 == waiting >> 5;
            if (_status[thread] == _status[waiting] && _places[thread] == _places[waiting])
                arrived++;
            else if (concerned && absent < 0)
                absent = thread;
        }
        string other = "";
        if (absent >= 0)
        {
            (uint x, uint y, uint z) = SpecialRegisters.ThreadIndex(_block.Grid, absent);
            bool ended = _status[absent] == Ended;
            Instruction where = _code[ended ? _places[absent] : _places[absent] - 1];
            other = $"; thread ({x}, {y}, {z}) {(ended ? "has ended" : "waits")} at '{where.Source.Text}' "
                + $"(PTX line {where.Source.Line})";
        }
        return _block.Fault(
            at, waiting, isBarrier
            ? $"barrier not reached by all: {arrived} of {_block.Threads} threads wait{other}"
            : $"the warp's members do not meet: {arrived} threads of the block wait{other}");
    }
}
