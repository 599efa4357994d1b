import Foundation
import StoragesS3
import StoredFiles
import StoredFilesTesting

/// The storages of the files: folders of our own, or with `--s3` buckets of an S3 server.
///
/// With `--s3` that is the server of `S3_ENDPOINT`, such as `http://127.0.0.1:8333`, with its keys in
/// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`; without the variable a real S3 server of our own that goes when we
/// go.
struct Places {
    let media: FaultyStorage
    let documents: FaultyStorage
    private let remove: @Sendable () async -> Void

    static func find() async throws -> Places {
        CommandLine.arguments.contains("--s3") ? try await onS3() : try inFolders()
    }

    func release() async {
        await remove()
    }

    private static func inFolders() throws -> Places {
        let folder = FileManager.default.temporaryDirectory.appending(path: "stored-files-quickstart-\(UUID())")
        return Places(
            media: FaultyStorage(
                try FileSystemStorage(
                    root: folder.appending(path: "media").path,
                    baseURL: "https://media.example.com",
                    signingKey: Array("a key of at least thirty-two bytes".utf8)
                )
            ),
            documents: FaultyStorage(try FileSystemStorage(root: folder.appending(path: "documents").path)),
            remove: { try? FileManager.default.removeItem(at: folder) }
        )
    }

    private static func onS3() async throws -> Places {
        if let endpoint = ProcessInfo.processInfo.environment["S3_ENDPOINT"] {
            say("using the S3 server at \(endpoint)\n")
            return try await buckets(remove: {}) { bucket in
                try S3Storage(bucketName: bucket, endpointURL: endpoint, querystringAuth: true)
            }
        }
        say("S3_ENDPOINT is not set: starting a temporary S3 server")
        let server = try await TemporaryS3.start(.seaweedFS)
        say("it listens on \(server.endpoint) only, and is removed at the end\n")
        return try await buckets(remove: { await server.stop() }) { bucket in
            try S3Storage(
                bucketName: bucket,
                endpointURL: server.url,
                accessKeyID: server.accessKeyID,
                secretAccessKey: server.secretAccessKey,
                querystringAuth: true
            )
        }
    }

    private static func buckets(
        remove: @escaping @Sendable () async -> Void,
        _ makeStorage: (String) throws -> S3Storage
    ) async throws -> Places {
        do {
            let media = try makeStorage("quickstart-media")
            let documents = try makeStorage("quickstart-documents")
            for storage in [media, documents] {
                try await storage.createBucketIfMissing()
                // Whether the server refuses to overwrite has to be found out once.
                try await storage.probeConditionalWrites()
            }
            return Places(media: FaultyStorage(media), documents: FaultyStorage(documents), remove: remove)
        } catch {
            await remove()
            throw error
        }
    }
}
