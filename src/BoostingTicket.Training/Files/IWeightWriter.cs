namespace BoostingTicket.Training.Files;

/// <summary>Writes named tensors of 32-bit floats into a file that other programs open.</summary>
internal interface IWeightWriter
{
    /// <summary>Says something about the tensors, where the format has room for it.</summary>
    /// <param name="key">What is said.</param>
    /// <param name="value">The value.</param>
    void AddMetadata(string key, string value);

    /// <summary>Adds a tensor. Its memory is not copied: it must stay unchanged until the file is written.</summary>
    /// <param name="name">A name that the file does not have yet.</param>
    /// <param name="values">The elements, outermost dimension slowest.</param>
    /// <param name="shape">The sizes, outermost first; none for a scalar.</param>
    void AddTensor(string name, ReadOnlyMemory<float> values, params ReadOnlySpan<long> shape);

    /// <summary>Writes the file whole or not at all.</summary>
    /// <param name="path">The file to create or to replace.</param>
    /// <exception cref="ConfigurationException">The file cannot be written there, or the disk is full.</exception>
    void Save(string path);
}
