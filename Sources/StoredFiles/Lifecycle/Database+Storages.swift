public import PostgresModels
public import StorageImages
public import Storages

extension Database {
    /// Opens a database whose models have file and image properties.
    ///
    /// One connection is made at once, so that a wrong address fails here and not in the first request.
    ///
    /// - Parameters:
    ///   - conninfo: A libpq connection string or URI, for example `postgresql:///app`
    ///     (libpq manual, section 34.1.1).
    ///   - storages: The storages under the names that fields use.
    ///   - prober: How the size of an image is learned. Default: header, guard, then libgd as the proof.
    ///   - lifecycle: How long stored files wait for their rows. Default: an hour.
    ///   - configuration: Pool, time-outs, logging.
    /// - Returns: The database. Close it with ``PostgresModels/Database/close(timeout:)``.
    /// - Throws: ``PostgresModels/DatabaseError`` with code `.connectionFailed` when the server cannot be reached;
    ///   ``Storages/StorageError`` with code `.invalidConfiguration` when two ids share files, see
    ///   ``Storages/StorageRegistry/validate()``, or `lifecycle` has a value out of range.
    public static func connect(
        _ conninfo: String,
        storages: StorageRegistry,
        prober: ImageProber = ImageProber(),
        lifecycle: LifecycleConfiguration = LifecycleConfiguration(),
        configuration: DatabaseConfiguration = DatabaseConfiguration()
    ) async throws -> Database {
        try storages.validate()
        try lifecycle.validate()
        let context = FileContext(storages: storages, prober: prober, lifecycle: lifecycle)
        var attachments = DatabaseAttachments()
        attachments.set(context)
        let database = try await connect(conninfo, configuration: configuration, attachments: attachments)
        context.link.database = database
        return database
    }

    /// The storages that the database was opened with, `nil` when it was opened without.
    public var storages: StorageRegistry? {
        attachments.get(FileContext.self)?.storages
    }

    /// Registers an observer of the steps in the lives of files, for tests that end the process at one of them.
    package func observeLifecycleSteps(_ observe: @escaping @Sendable (LifecycleStep) async -> Void) {
        attachments.get(FileContext.self)?.observeSteps(observe)
    }
}

extension DatabaseAttachments {
    /// The context, or an error that says what is missing for which field.
    func fileContext(for column: String) throws -> FileContext {
        guard let context = get(FileContext.self) else {
            throw StorageError(
                .unknownStorage,
                """
                The column "\(column)" is a file field, but the database was opened without storages; \
                open it with Database.connect(_:storages:).
                """
            )
        }
        return context
    }
}
