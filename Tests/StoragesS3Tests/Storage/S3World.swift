import Foundation
import StoredFilesTesting
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

/// A real server and a bucket of one's own on it.
struct S3World: Sendable {
    enum Server: String, CaseIterable, CustomTestStringConvertible, Sendable {
        case swift, swiftOverTLS, rclone, rcloneOverTLS, seaweed, seaweedOverTLS, moto

        /// The servers that verify signatures.
        static let allCases: [Server] = [.swift, .swiftOverTLS, .rclone, .rcloneOverTLS, .seaweed, .seaweedOverTLS]

        var testDescription: String {
            switch self {
            case .swift: "OpenStack Swift"
            case .swiftOverTLS: "OpenStack Swift over TLS"
            case .rclone: "rclone"
            case .rcloneOverTLS: "rclone over TLS"
            case .seaweed: "SeaweedFS"
            case .seaweedOverTLS: "SeaweedFS over TLS"
            case .moto: "moto"
            }
        }

        var kind: TemporaryS3.Kind {
            switch self {
            case .swift, .swiftOverTLS: .openStackSwift
            case .rclone, .rcloneOverTLS: .rclone
            case .seaweed, .seaweedOverTLS: .seaweedFS
            case .moto: .moto
            }
        }

        var usesTLS: Bool {
            switch self {
            case .swift, .rclone, .seaweed, .moto: false
            case .swiftOverTLS, .rcloneOverTLS, .seaweedOverTLS: true
            }
        }
    }

    let server: TemporaryS3
    let bucket: String

    /// A bucket on the server that all tests share.
    static func make(_ server: Server = .swift) async throws -> S3World {
        let shared = try await TemporaryS3.shared(server.kind, tls: server.usesTLS)
        return S3World(server: shared, bucket: try await shared.makeBucket())
    }

    /// A storage of the bucket.
    ///
    /// - Parameters:
    ///   - endpoint: Another way to the server, such as a proxy. Default: the server itself.
    ///   - customDomain: As the storage takes it.
    ///   - querystringAuth: As the storage takes it.
    ///   - configure: Changes the options.
    func storage(
        at endpoint: String? = nil,
        customDomain: String? = nil,
        querystringAuth: Bool = false,
        _ configure: (inout S3Options) -> Void = { _ in }
    ) throws -> S3Storage {
        var options = S3Options()
        switch server.kind {
        case .openStackSwift, .moto: options.server = .automatic
        case .rclone: options.server = .rclone
        case .seaweedFS: options.server = .seaweedFS
        }
        options.tls.certificateAuthorityFile = server.caFile
        options.retries = S3Retries(baseDelay: .milliseconds(10), throttledBaseDelay: .milliseconds(50))
        configure(&options)
        let storage = try S3Storage(
            bucketName: bucket,
            endpointURL: endpoint ?? server.endpoint,
            accessKeyID: server.accessKeyID,
            secretAccessKey: server.secretAccessKey,
            region: server.region,
            useSSL: server.usesTLS && endpoint == nil,
            customDomain: customDomain,
            querystringAuth: querystringAuth,
            options: options
        )
        if server.kind == .openStackSwift, options.server == .automatic {
            // It looks before it takes the bytes, and not again, which is enough for one after the other.
            storage.assume { writes in
                writes = .unsupported
                writes.put.absence = .ifNoneMatch
                writes.complete.absence = .ifNoneMatch
            }
        }
        return storage
    }
}

extension S3Storage {
    /// Has the bucket keep versions from now on.
    func keepVersions() async throws {
        var operation = S3Operation("PutBucketVersioning", .put)
        operation.query = [("versioning", "")]
        operation.body = HTTPBody(
            "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>Enabled</Status>"
                + "</VersioningConfiguration>"
        )
        operation.signsBody = true
        operation.headers.append("Content-Type", "application/xml")
        try await client.perform(operation) { _ in }
    }
}
