public import Storages

/// Writes down the size that a probe found, so that no one has to probe the image again.
public protocol ImageSizeRecorder: AnyObject, Sendable {
    /// Records the outcome of a probe, once for each probe that came to a verdict about the bytes.
    ///
    /// It is not called when the file could not be read, the decoder was busy, the probe was cancelled, or the image
    /// was refused because of the prober's limits. It runs with the task-local values of the caller who started the
    /// probe; what they speak of may have ended meanwhile. That caller waits for it, the others do not. A recorder that
    /// fails keeps it to itself: the caller has the size.
    ///
    /// - Parameters:
    ///   - size: The size, or ``StorageImage/SizeState-swift.enum/notAnImage``; never unknown.
    ///   - name: The name of the file.
    func recordSize(_ size: StorageImage.SizeState, of name: StorageName) async
}
