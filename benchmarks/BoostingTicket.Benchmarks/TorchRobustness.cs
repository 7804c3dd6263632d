using System.Globalization;
using System.Text.Json;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments;
using BoostingTicket.Runs.Experiments.Speed;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace BoostingTicket.Benchmarks;

/// <summary>The full networks of <c>experiment speed</c>, trained in TorchSharp: the same initial weights, order and augmentation
/// of images, schedule and attack (other random starts). After each epoch this engine tests the weights as it tests its own,
/// which is not timed; then all is saved, and a repeated command goes on from there. A network is trained in TorchSharp's fastest
/// variant of the number format, which is found before and kept.</summary>
/// <param name="folder">The experiment's folder, which names its settings.</param>
/// <param name="dataFolder">Where data sets are; null for the usual places.</param>
/// <param name="precision">Number format of TorchSharp's passes: a <see cref="TorchVariant.Precision"/>.</param>
/// <param name="backend">Gathers images and tests weights.</param>
internal sealed class TorchRobustness(string folder, string? dataFolder, string precision, IBackend backend)
{
    private const string PointsKey = "points", WeightsName = "weights", StatisticsName = "statistics", MomentaName = "momenta";

    private readonly ExperimentFolder _files = Find(folder);

    private string Arm => $"TorchSharp {precision}";

    private string States => Path.Combine(_files.Own, "torchsharp");

    /// <summary>Trains what is missing, and writes the file that the experiment shows.</summary>
    /// <param name="only">Text that the names of networks contain.</param>
    /// <param name="tell">Told of every epoch.</param>
    /// <exception cref="ConfigurationException">The folder holds no such experiment, or one of networks that have no TorchSharp
    /// form, or another process trains in it; no network has the name.</exception>
    /// <exception cref="DamagedFileException">A file of the folder is damaged.</exception>
    /// <exception cref="InvalidOperationException">The engines disagree.</exception>
    public void Run(string only, Action<string> tell)
    {
        if (!File.Exists(_files.Configuration))
            throw new ConfigurationException(
                $"The folder {_files.Own} holds no experiment ({Path.GetFileName(_files.Configuration)} is missing); start "
                + "'experiment speed' first, and name its folder.");
        ExperimentConfiguration configuration = RunJson.Read<ExperimentConfiguration>(
            StoredFiles.ReadText(_files.Configuration), _files.Configuration);
        var experiment = new SpeedExperiment();
        if (configuration.Experiment != experiment.Name)
            throw new ConfigurationException(
                $"The folder {_files.Own} holds the experiment '{configuration.Experiment}'; name the folder of "
                + $"'experiment {experiment.Name}'.");
        using var held = RunLock.Acquire(States);
        DataSplit data = RunData.Load(configuration.Base.Data, dataFolder);
        TrainingJob[] jobs = [.. SpeedExperiment.DenseJobs(configuration)];
        TrainingJob[] chosen = [.. jobs.Where(job => job.Model.Contains(only, StringComparison.Ordinal))];
        if (chosen.Length == 0)
            throw new ConfigurationException(
                $"--only is '{only}', which no network of the experiment has in its name; there are "
                + $"{string.Join(", ", jobs.Select(job => job.Model).Distinct())}.");
        var points = new Dictionary<TrainingJob, IReadOnlyList<CoursePoint>>();
        foreach (TrainingJob job in jobs)
            points[job] = ReadPoints(State(job));
        // A process that was killed may have saved an epoch that is not in the table yet.
        WriteTable(points.Values);
        foreach (TrainingJob job in chosen.Where(job => points[job].Count < job.Settings.Epochs))
        {
            TorchVariant variant = FindVariant(job, tell);
            using var images = new RunData(data, configuration.Base.Data, backend);
            using var training = new Course(this, variant, configuration, job, data, images, points[job]);
            while (training.Points.Count < job.Settings.Epochs)
            {
                training.RunEpoch();
                points[job] = training.Points;
                CoursePoint point = training.Points[^1];
                tell(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Arm}, {job.Model}, seed {job.Seed}, epoch {point.Epoch}/{job.Settings.Epochs}: clean {point.Clean:P1}, "
                    + $"PGD {point.Robust:P1}, {point.Seconds.Processor:F0} CPU s, {point.Seconds.Wall:F0} s"));
                WriteTable(points.Values);
            }
        }
    }

    private void WriteTable(IEnumerable<IReadOnlyList<CoursePoint>> points)
    {
        StoredFiles.CreateFolder(_files.OtherCourses);
        AtomicFile.WriteAllText(
            Path.Combine(_files.OtherCourses, $"torchsharp-{precision}.csv"), CourseFile.Write(points.SelectMany(each => each)));
    }

    // All seeds and every repeated command take the variant that was the fastest when the network was first trained.
    private TorchVariant FindVariant(TrainingJob job, Action<string> tell)
    {
        string path = Path.Combine(States, $"{job.Model}-{precision}-variants.json");
        if (!File.Exists(path))
        {
            var model = new BenchmarkModel(
                job.Model, job.Settings.BatchSize, IsGray: false, BenchmarkModel.Creator(job.Model));
            AtomicFile.WriteAllText(path, RunJson.Write(VariantChoice.Find(model, backend, precision).Rows));
        }
        VariantRow fastest = RunJson.Read<VariantRow[]>(StoredFiles.ReadText(path), path).FirstOrDefault(row => row.IsFastest)
            ?? throw new DamagedFileException($"The file {path} names no fastest variant; delete it to time them again.");
        tell(string.Create(
            CultureInfo.InvariantCulture,
            $"{Arm}, {job.Model}: the fastest variant is {fastest.Variant}, {fastest.PgdSeconds:F2} s for a step of PGD-10."));
        return TorchVariant.All.Single(variant => variant.Name == fastest.Variant);
    }

    private static ExperimentFolder Find(string folder)
    {
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        return new ExperimentFolder(Path.GetDirectoryName(path) ?? path, Path.GetFileName(path));
    }

    private string State(TrainingJob job) => Path.Combine(
        States, FormattableString.Invariant($"{job.Model}-{precision}-seed-{job.Seed}.safetensors"));

    private static List<CoursePoint> ReadPoints(string state)
    {
        if (!File.Exists(state))
            return [];
        using SafetensorsFile file = SafetensorsFile.Open(state);
        return JsonSerializer.Deserialize<List<CoursePoint>>(file.Metadata[PointsKey])!;
    }

    private sealed class Course : IDisposable
    {
        private readonly TorchRobustness _owner;
        private readonly TorchVariant _variant;
        private readonly TrainingJob _job;
        private readonly RunData _images;
        private readonly AttackSettings _attack;
        private readonly NetworkGraph _graph;
        private readonly Network _network;
        private readonly TorchNetwork _theirs;
        private readonly TorchSgd _optimizer;
        private readonly EpochOrder _order;
        private readonly LearningRateSchedule _schedule;
        private readonly Evaluator _evaluator;
        private readonly int _batches;
        private readonly List<CoursePoint> _points;

        public Course(
            TorchRobustness owner, TorchVariant variant, ExperimentConfiguration configuration, TrainingJob job, DataSplit data,
            RunData images, IReadOnlyList<CoursePoint> points)
        {
            _owner = owner;
            _variant = variant;
            _job = job;
            _images = images;
            _points = [.. points];
            _attack = configuration.Base.Evaluation.Attack;
            _graph = TicketRun.BuildModel(job, data);
            _network = new Network(_graph, owner.Backend);
            _theirs = new TorchNetwork(BenchmarkModel.Creator(job.Model), variant);
            _optimizer = new TorchSgd(_theirs, job.Settings.Momentum, job.Settings.WeightDecay);
            _order = new EpochOrder(
                images.Split(job.Seed).Train, job.Settings.BatchSize, job.Augmentation, job.Seed);
            _batches = Trainer.CountBatches(_order.Plan);
            _schedule = new LearningRateSchedule(job.Settings, _batches);
            _evaluator = new Evaluator(_network, images.Test, images.TestSamples, job.Validation.BatchSize);
            if (_points.Count == 0)
                _theirs.Load(job.DrawStart(_graph.Table));
            else
                Restore();
            RequireAgreement();
        }

        public List<CoursePoint> Points => _points;

        public void RunEpoch()
        {
            int epoch = _points.Count;
            _order.Epoch = epoch;
            manual_seed((long)(_job.Seed * 1_000 + (ulong)epoch));
            MachineLoad start = MachineLoad.Now();
            for (int batch = 0; batch < _batches; batch++)
                Step(batch, _schedule.RateAt((long)epoch * _batches + batch));
            TrainingWork work = MachineLoad.Now().Since(start, _batches, operations: 0);
            ElapsedSeconds before = epoch == 0 ? default : _points[^1].Seconds;
            ModelState weights = _theirs.Read(_graph.Table);
            weights.CopyTo(_network.Parameters, _network.Backend);
            TestResult test = _evaluator.Robust(
                AttackBudget.Pgd(_attack), Philox.Key(_job.Seed, RandomStream.EvaluationAttack), _images.TestCount);
            _points.Add(new CoursePoint(
                _job.Model, _owner.Arm, _job.Seed, epoch + 1, before + ElapsedSeconds.Of(work), test.Clean, test.Robust,
                _images.TestCount));
            Save(weights);
        }

        public void Dispose()
        {
            _evaluator.Dispose();
            _optimizer.Dispose();
            _theirs.Dispose();
            _network.Dispose();
        }

        private void Step(int batch, double rate)
        {
            using var scope = NewDisposeScope();
            (Tensor images, Tensor labels) = Gather(batch);
            float epsilon = PixelBall.Radius(_job.Attack.Epsilon), stepSize = (float)_job.Attack.StepSize;
            _theirs.BeginAttack();
            Tensor adversarial = TorchAttack.Start(images, epsilon);
            for (int step = 0; step < _job.Attack.Steps; step++)
            {
                using var inner = NewDisposeScope();
                adversarial = TorchAttack.Step(_theirs, adversarial, images, labels, epsilon, stepSize)
                    .MoveToOuterDisposeScope();
            }
            _optimizer.Step(_theirs.ParameterGradients(adversarial, labels).Gradients, rate);
        }

        private (Tensor Images, Tensor Labels) Gather(int batch)
        {
            var requests = new ImageRequest[_order.Plan.Batch(batch).Length];
            _order.Fill(batch, requests);
            BatchBuffers buffers = _network.Buffers(requests.Length);
            _images.Train.Load(requests, buffers, buffers.Input);
            float[] pixels = new float[requests.Length * _images.Shape.Length];
            _network.Backend.Download(buffers.Input, pixels);
            FeatureShape shape = _images.Shape;
            return (
                _theirs.Images(pixels, requests.Length, shape.Channels, shape.Height, shape.Width),
                tensor(Array.ConvertAll(requests, request => (long)_images.Train.Set.Labels[request.Index])));
        }

        // The same logits as this engine's, or nothing is trained.
        private void RequireAgreement()
        {
            using var scope = NewDisposeScope();
            (Tensor images, Tensor labels) = Gather(0);
            _theirs.BeginAttack();
            float[] theirs = _theirs.InputGradient(images, labels).Logits.contiguous().data<float>().ToArray();
            _theirs.Read(_graph.Table).CopyTo(_network.Parameters, _network.Backend);
            Plan plan = _network.Plan(new PlanOptions((int)images.shape[0], PlanMode.Evaluate));
            plan.Forward();
            float[] ours = new float[plan.Logits.Length];
            _network.Backend.Download(plan.Logits, ours);
            Agreement.RequireLogits(_job.Model, _variant, ours, theirs);
        }

        private void Save(ModelState weights)
        {
            float[] momenta = new float[_graph.Table.TrainedLength];
            foreach ((int index, (string name, _)) in _theirs.Parameters.Index())
                _optimizer.Momenta[index].contiguous().data<float>().ToArray().CopyTo(momenta, _graph.Table[name].Offset);
            string path = _owner.State(_job);
            StoredFiles.CreateFolder(Path.GetDirectoryName(path)!);
            new SafetensorsWriter().WithMetadata(PointsKey, JsonSerializer.Serialize(_points))
                .Add(WeightsName, weights.Weights, weights.Weights.Length)
                .Add(StatisticsName, weights.Statistics, weights.Statistics.Length)
                .Add(MomentaName, momenta, momenta.Length).Save(path);
        }

        private void Restore()
        {
            using SafetensorsFile file = SafetensorsFile.Open(_owner.State(_job));
            var state = new ModelState(_graph.Table);
            float[] momenta = new float[_graph.Table.TrainedLength];
            Read(WeightsName, state.Weights);
            Read(StatisticsName, state.Statistics);
            Read(MomentaName, momenta);
            _theirs.Load(state);
            using var scope = NewDisposeScope();
            using var guard = no_grad();
            foreach ((int index, (string name, _)) in _theirs.Parameters.Index())
            {
                Parameter parameter = _graph.Table[name];
                Tensor momentum = _optimizer.Momenta[index];
                momentum.copy_(tensor(momenta.AsSpan(parameter.Offset, parameter.Length).ToArray()).reshape(momentum.shape));
            }

            void Read(string name, float[] values) =>
                file.Read(file.Require(name, SafetensorsType.F32, values.Length), values.AsSpan());
        }
    }

    private IBackend Backend => backend;
}
