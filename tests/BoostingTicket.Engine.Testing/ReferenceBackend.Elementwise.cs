using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing;

internal partial class ReferenceBackend
{
    /// <summary>The margin's confidence (Madry et al., cifar10_challenge).</summary>
    private const double Confidence = 50;

    /// <inheritdoc/>
    public virtual void ElementwiseForward(Tensor x, Tensor y, in ForwardEpilogue epilogue)
    {
        var scope = new OperationScope(nameof(ElementwiseForward));
        ReadOnlySpan<double> input = scope.Read(x, nameof(x));
        var end = new ForwardEnd(scope, epilogue, x.Batch, x.Shape, shiftAllowed: false);
        double[] output = scope.Write(y, nameof(y), x.Batch, x.Shape, nameof(x), ForwardEnd.Residual);
        input.CopyTo(output);
        end.Apply(output);
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void ElementwiseBackward(Tensor dy, Tensor dx, in GradientEpilogue epilogue)
    {
        var scope = new OperationScope(nameof(ElementwiseBackward));
        ReadOnlySpan<double> gradient = scope.Read(dy, nameof(dy));
        var end = new GradientEnd(scope, epilogue, dy.Batch, dy.Shape);
        double[] inputGradient = scope.Write(dx, nameof(dx), dy.Batch, dy.Shape, nameof(dy), GradientEnd.Addend);
        gradient.CopyTo(inputGradient);
        end.Apply(inputGradient);
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void PoolForward(PoolShape pool, Tensor x, Tensor y)
    {
        var scope = new OperationScope(nameof(PoolForward));
        RequirePool(scope, pool, x.Shape);
        ReadOnlySpan<double> input = scope.Read(x, nameof(x));
        double[] output = scope.Write(y, nameof(y), x.Batch, pool.Output(x.Shape));
        for (int i = 0; i < output.Length; i++)
        {
            int corner = Corner(pool, x.Shape, i);
            output[i] = pool.Kind == PoolKind.Max
                ? Largest(pool, input, x.Shape, corner).Value
                : Mean(pool, input, x.Shape, corner);
        }
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void PoolBackward(PoolShape pool, Tensor x, Tensor y, Tensor dy, Tensor dx, in GradientEpilogue epilogue)
    {
        var scope = new OperationScope(nameof(PoolBackward));
        RequirePool(scope, pool, x.Shape);
        FeatureShape pooled = pool.Output(x.Shape);
        bool isMax = pool.Kind == PoolKind.Max;
        scope.Require(y.Batch == x.Batch && y.Shape == pooled, $"y {y} must be {x.Batch}x{pooled}.");
        // The gradient of a mean depends on no value: x and y name the shapes, and a plan may have given up their memory.
        ReadOnlySpan<double> input = isMax ? scope.Read(x, nameof(x)) : [];
        ReadOnlySpan<double> output = isMax ? scope.Read(y, nameof(y)) : [];
        ReadOnlySpan<double> outputGradient = scope.Read(dy, nameof(dy), x.Batch, pooled);
        var end = new GradientEnd(scope, epilogue, x.Batch, x.Shape);
        double[] inputGradient = scope.Write(dx, nameof(dx), x.Batch, x.Shape, GradientEnd.Addend);
        for (int i = 0; i < outputGradient.Length; i++)
        {
            int corner = Corner(pool, x.Shape, i);
            if (isMax)
            {
                (double largest, int at) = Largest(pool, input, x.Shape, corner);
                scope.Require(
                    Math.Abs(output[i] - largest) <= 1e-5 * Math.Max(1, Math.Abs(largest)), $"y is not x pooled (value {i}).");
                inputGradient[at] += outputGradient[i];
                continue;
            }
            for (int row = 0; row < pool.Window; row++)
            {
                for (int column = 0; column < pool.Window; column++)
                    inputGradient[corner + row * x.Shape.Width + column] += outputGradient[i] / (pool.Window * pool.Window);
            }
        }
        end.Apply(inputGradient);
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void Loss(
        LossKind kind, Tensor logits, IntBuffer labels, FloatBuffer losses, FloatBuffer correct, Tensor? gradient,
        float gradientScale)
    {
        var scope = new OperationScope(nameof(Loss));
        int batch = logits.Batch, classes = logits.Shape.Channels;
        scope.Require(logits.Shape.Pixels == 1, $"logits {logits} must be samples x classes.");
        scope.Require(classes > 1, "a loss needs at least two classes.");
        int[] classOf = ReferenceInts.Values(labels, scope.Name, nameof(labels));
        scope.Require(
            classOf.Length >= batch && losses.Length >= batch && correct.Length >= batch,
            $"labels, losses and correct must hold at least {batch} values.");
        ReadOnlySpan<double> scores = scope.Read(logits, nameof(logits));
        double[] loss = scope.Write(new BufferSlice(losses, 0, batch), nameof(losses), batch);
        double[] right = scope.Write(new BufferSlice(correct, 0, batch), nameof(correct), batch);
        double[] slope = gradient is null
            ? new double[batch * classes]
            : scope.Write(gradient, nameof(gradient), batch, logits.Shape);
        for (int sample = 0; sample < batch; sample++)
        {
            int label = classOf[sample];
            scope.Require(label >= 0 && label < classes, $"label {label} of sample {sample} is not in [0, {classes}).");
            ReadOnlySpan<double> z = scores.Slice(sample * classes, classes);
            Span<double> dz = slope.AsSpan(sample * classes, classes);
            loss[sample] = kind == LossKind.CrossEntropy ? CrossEntropy(z, label, dz) : CarliniWagner(z, label, dz);
            right[sample] = FirstLargest(z, except: -1) == label ? 1 : 0;
            foreach (ref double value in dz)
                value *= gradientScale;
        }
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void Divergence(
        Tensor reference, Tensor logits, FloatBuffer divergences, Tensor? referenceGradient, Tensor? gradient,
        float gradientScale)
    {
        var scope = new OperationScope(nameof(Divergence));
        int batch = logits.Batch, classes = logits.Shape.Channels;
        scope.Require(logits.Shape.Pixels == 1, $"logits {logits} must be samples x classes.");
        scope.Require(divergences.Length >= batch, $"divergences must hold at least {batch} values.");
        ReadOnlySpan<double> targets = scope.Read(reference, nameof(reference), batch, logits.Shape);
        ReadOnlySpan<double> scores = scope.Read(logits, nameof(logits));
        double[] result = scope.Write(new BufferSlice(divergences, 0, batch), nameof(divergences), batch);
        double[] targetSlope = referenceGradient is null
            ? new double[batch * classes]
            : scope.Update(referenceGradient, nameof(referenceGradient), batch, logits.Shape);
        double[] slope = gradient is null
            ? new double[batch * classes]
            : scope.Write(gradient, nameof(gradient), batch, logits.Shape);
        for (int first = 0; first < batch * classes; first += classes)
        {
            double[] p = Softmax(targets.Slice(first, classes)), q = Softmax(scores.Slice(first, classes));
            double normA = LogSum(targets.Slice(first, classes)), normB = LogSum(scores.Slice(first, classes)), divergence = 0;
            for (int j = 0; j < classes; j++)
                divergence += p[j] * LogRatio(targets, scores, first + j);
            result[first / classes] = divergence;
            for (int j = 0; j < classes; j++)
            {
                targetSlope[first + j] += gradientScale * p[j] * (LogRatio(targets, scores, first + j) - divergence);
                slope[first + j] = gradientScale * (q[j] - p[j]);
            }

            double LogRatio(ReadOnlySpan<double> a, ReadOnlySpan<double> b, int i) => a[i] - normA - (b[i] - normB);
        }
        scope.Commit();
    }

    private static double LogSum(ReadOnlySpan<double> z)
    {
        double largest = z[FirstLargest(z, except: -1)], sum = 0;
        foreach (double value in z)
            sum += Math.Exp(value - largest);
        return Math.Log(sum) + largest;
    }

    private static double[] Softmax(ReadOnlySpan<double> z)
    {
        double norm = LogSum(z);
        return Array.ConvertAll(z.ToArray(), value => Math.Exp(value - norm));
    }

    private static double CrossEntropy(ReadOnlySpan<double> z, int label, Span<double> dz)
    {
        double largest = z[FirstLargest(z, except: -1)], sum = 0;
        foreach (double value in z)
            sum += Math.Exp(value - largest);
        for (int i = 0; i < z.Length; i++)
            dz[i] = Math.Exp(z[i] - largest) / sum - (i == label ? 1 : 0);
        return Math.Log(sum) + largest - z[label];
    }

    private static double CarliniWagner(ReadOnlySpan<double> z, int label, Span<double> dz)
    {
        int rival = FirstLargest(z, except: label);
        double margin = z[label] - z[rival] + Confidence;
        if (margin > 0)
        {
            dz[label] = -1;
            dz[rival] = 1;
        }
        return -Math.Max(margin, 0);
    }

    private static int FirstLargest(ReadOnlySpan<double> values, int except)
    {
        int best = -1;
        for (int i = 0; i < values.Length; i++)
        {
            if (i != except && (best < 0 || values[i] > values[best]))
                best = i;
        }
        return best;
    }

    private static void RequirePool(OperationScope scope, PoolShape pool, FeatureShape input)
    {
        scope.Require(
            pool.Window > 0 && pool.Stride > 0 && pool.Window <= input.Height && pool.Window <= input.Width,
            $"a window of {pool.Window} with stride {pool.Stride} does not fit {input}.");
        scope.Require(
            pool.Kind != PoolKind.Average || pool.Stride >= pool.Window, "average pooling needs Stride >= Window.");
    }

    /// <summary>Where the window of output <paramref name="index"/> starts in the input.</summary>
    private static int Corner(PoolShape pool, FeatureShape input, int index)
    {
        FeatureShape pooled = pool.Output(input);
        int map = index / pooled.Pixels, row = index / pooled.Width % pooled.Height, column = index % pooled.Width;
        return map * input.Pixels + row * pool.Stride * input.Width + column * pool.Stride;
    }

    /// <summary>The first largest value of a window in row order, and where it is.</summary>
    private static (double Value, int Index) Largest(
        PoolShape pool, ReadOnlySpan<double> input, FeatureShape shape, int corner)
    {
        int best = corner;
        for (int row = 0; row < pool.Window; row++)
        {
            for (int column = 0; column < pool.Window; column++)
            {
                int at = corner + row * shape.Width + column;
                if (input[at] > input[best])
                    best = at;
            }
        }
        return (input[best], best);
    }

    private static double Mean(PoolShape pool, ReadOnlySpan<double> input, FeatureShape shape, int corner)
    {
        double sum = 0;
        for (int row = 0; row < pool.Window; row++)
        {
            for (int column = 0; column < pool.Window; column++)
                sum += input[corner + row * shape.Width + column];
        }
        return sum / (pool.Window * pool.Window);
    }
}
