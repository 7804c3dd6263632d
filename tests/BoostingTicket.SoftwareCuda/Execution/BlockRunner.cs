using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.SoftwareCuda.Execution;

/// <summary>Executes kernels block by block, in the order of the grid. Of the threads of a block, those at the first instruction
/// in program order run together until they part, or until others wait where they arrive: so threads that parted meet again as
/// soon as the program lets them, and the order is always the same.</summary>
internal sealed unsafe partial class BlockRunner
{
    private const byte Running = 0;
    private const byte AtBarrier = 1;
    private const byte AtWarp = 2;
    private const byte Ended = 3;
    private const int MaxThreads = 1024;
    private const int Barriers = 16;

    private readonly BlockState _block;
    private readonly long _limit;
    private readonly int[] _places = new int[MaxThreads];
    private readonly byte[] _status = new byte[MaxThreads];
    private readonly int[] _group = GC.AllocateArray<int>(MaxThreads, pinned: true);
    private readonly int[] _guarded = GC.AllocateArray<int>(MaxThreads, pinned: true);
    private readonly int[] _arrivals = new int[Barriers];
    private readonly int[] _barrierOf = new int[MaxThreads];
    private readonly Stack<CallInstruction>?[] _calls = new Stack<CallInstruction>?[MaxThreads];
    private readonly Stack<int>?[] _returns = new Stack<int>?[MaxThreads];
    private Kernel _kernel = null!;
    private Instruction[] _code = [];
    private int _groupSize;
    private int _next;
    private int _others;
    private long _steps;

    /// <summary>A runner.</summary>
    /// <param name="block">Registers and memory.</param>
    /// <param name="limit">Instructions (of groups of threads) after which a block counts as endless.</param>
    public BlockRunner(BlockState block, long limit)
    {
        _block = block;
        _limit = limit;
    }

    /// <summary>Instructions that threads executed, over all launches.</summary>
    public long ThreadInstructions { get; private set; }

    /// <summary>Runs all blocks of a launch.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="grid">Blocks and threads, within the limits.</param>
    /// <param name="parameters">Values of the parameters.</param>
    public void Run(Kernel kernel, in LaunchGrid grid, byte[] parameters)
    {
        _kernel = kernel;
        _code = kernel.Code;
        _block.BeginLaunch(kernel, grid, parameters);
        for (uint z = 0; z < grid.GridZ; z++)
        {
            for (uint y = 0; y < grid.GridY; y++)
            {
                for (uint x = 0; x < grid.GridX; x++)
                {
                    _block.BeginBlock(x, y, z);
                    RunBlock();
                }
            }
        }
    }

    private void RunBlock()
    {
        int threads = _block.Threads;
        Array.Clear(_places, 0, threads);
        Array.Clear(_status, 0, threads);
        Array.Clear(_arrivals);
        _steps = 0;
        fixed (int* group = _group, guarded = _guarded)
        {
            while (SelectGroup())
                RunGroup(group, guarded);
        }
    }

    // The running threads at the first place; false when all have ended.
    private bool SelectGroup()
    {
        int threads = _block.Threads;
        int first = int.MaxValue;
        bool ended = true;
        for (int thread = 0; thread < threads; thread++)
        {
            if (_status[thread] == Running)
                first = Math.Min(first, _places[thread]);
            ended &= _status[thread] == Ended;
        }
        if (first == int.MaxValue)
            return ended ? false : throw Deadlock();
        _groupSize = 0;
        _others = int.MaxValue;
        for (int thread = 0; thread < threads; thread++)
        {
            if (_status[thread] != Running)
                continue;
            if (_places[thread] == first)
                _group[_groupSize++] = thread;
            else
                _others = Math.Min(_others, _places[thread]);
        }
        _next = first;
        return true;
    }

    // Runs the group until it parts, stops, or comes to or past the place of another thread.
    private void RunGroup(int* group, int* guarded)
    {
        while (_next < _others)
        {
            Instruction instruction = _code[_next];
            int* lanes = group;
            int count = _groupSize;
            if (instruction.Guard >= 0)
            {
                count = Filter(instruction, group, guarded);
                lanes = guarded;
            }
            instruction.Executions += count;
            ThreadInstructions += count;
            if (++_steps > _limit)
                throw _block.Fault(instruction, group[0], $"the block does not end within {_limit} instructions");
            switch (instruction.Flow)
            {
                case Flow.Next:
                    if (count > 0)
                        instruction.Execute(_block, lanes, count);
                    _next++;
                    break;
                case Flow.Branch:
                    int target = ((BranchInstruction)instruction).Target;
                    if (count == _groupSize)
                    {
                        _next = target;
                    }
                    else if (count == 0)
                    {
                        _next++;
                    }
                    else
                    {
                        Place(_next + 1);
                        for (int i = 0; i < count; i++)
                            _places[lanes[i]] = target;
                        return;
                    }
                    break;
                default:
                    Place(_next + 1);
                    if (count > 0)
                        Control(instruction, lanes, count);
                    return;
            }
        }
        Place(_next);
    }

    private int Filter(Instruction instruction, int* group, int* guarded)
    {
        ulong* guard = _block.Row(instruction.Guard);
        ulong wanted = instruction.GuardNegated ? 0UL : 1;
        int count = 0;
        for (int i = 0; i < _groupSize; i++)
        {
            guarded[count] = group[i];
            count += guard[group[i]] == wanted ? 1 : 0;
        }
        return count;
    }

    private void Place(int place)
    {
        for (int i = 0; i < _groupSize; i++)
            _places[_group[i]] = place;
    }

    // The group's threads are placed behind the instruction already.
    private void Control(Instruction instruction, int* lanes, int count)
    {
        switch (instruction)
        {
            case IndexedBranchInstruction branch:
                Branch(branch, lanes, count);
                break;
            case CallInstruction call:
                Call(call, lanes, count);
                break;
            case ReturnInstruction:
                for (int i = 0; i < count; i++)
                    Return(lanes[i]);
                break;
            case ExitInstruction:
                for (int i = 0; i < count; i++)
                    End(lanes[i]);
                break;
            case BarrierInstruction barrier:
                Arrive(barrier, lanes, count);
                break;
            case WarpInstruction warp:
                Meet(warp, lanes, count);
                break;
            default:
                throw new InvalidOperationException($"{instruction.GetType().Name} has no rule of control flow.");
        }
    }

    private void Branch(IndexedBranchInstruction branch, int* lanes, int count)
    {
        ulong* index = _block.Row(branch.Index);
        for (int i = 0; i < count; i++)
        {
            uint at = (uint)index[lanes[i]];
            if (at >= (uint)branch.Targets.Length)
                throw _block.Fault(branch, lanes[i], $"the index {at} is beyond the {branch.Targets.Length} targets");
            _places[lanes[i]] = branch.Targets[at];
        }
    }

    private void Call(CallInstruction call, int* lanes, int count)
    {
        for (int i = 0; i < count; i++)
        {
            int thread = lanes[i];
            foreach (LocalCopy argument in call.Arguments)
                _block.CopyLocal(argument, thread);
            (_calls[thread] ??= new Stack<CallInstruction>()).Push(call);
            (_returns[thread] ??= new Stack<int>()).Push(_places[thread]);
            _places[thread] = call.Target;
        }
    }

    private void Return(int thread)
    {
        if (_calls[thread] is not { Count: > 0 } calls)
        {
            End(thread);
            return;
        }
        foreach (LocalCopy result in calls.Pop().Results)
            _block.CopyLocal(result, thread);
        _places[thread] = _returns[thread]!.Pop();
    }

    // The place stays at the last instruction, for reports.
    private void End(int thread)
    {
        _status[thread] = Ended;
        _places[thread]--;
        _calls[thread]?.Clear();
        _returns[thread]?.Clear();
    }
}
