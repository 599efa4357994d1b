import Foundation
import NIOConcurrencyHelpers
import StoredFiles

/// A process that writes rows and files in every way there is, until it is told to stop or is killed.
struct Writer: Sendable {
    static let lanes = 3
    static let levels: [TransactionIsolation] = [.readCommitted, .repeatableRead, .serializable]

    let side: Int
    let database: Database
    let papers: any Storage
    let url: String
    let judge: Judge
    /// Names that this process has let go of, with the time: they may be named again for a while.
    let kept = NIOLockedValueBox<[(name: String, time: Date)]>([])

    static func main(_ scene: Scene, _ side: Int, _ name: String, _ dice: Dice) async throws {
        let storages = try scene.storages(of: side, for: name, dice)
        let database = try await persistently {
            try await scene.connect(side, storages, name: name, poolSize: 7)
        }
        // Some do not wait for the disk: what they have committed may be lost, and the files must fit all the same.
        Failpoints.observe(database, dice.fork(), 400)
        let writer = Writer(
            side: side,
            database: database,
            papers: try storages.storage(for: .papers),
            url: scene.urls[side],
            judge: Judge(upheaval: scene.upheaval(side))
        )
        Channel.ready()
        await withTaskGroup(of: Void.self) { group in
            for lane in 0..<lanes {
                let own = dice.fork()
                group.addTask { await writer.work("\(lane)", own) }
            }
        }
        await Latecomers.wait()
        await database.close()
    }

    private func work(_ lane: String, _ dice: Dice) async {
        var deck = Deck(Job.weighted)
        while !Channel.isStopping {
            let job = deck.deal(dice)
            Channel.doing(lane, job.rawValue)
            let glance = judge.glance()
            do {
                try await perform(job, dice)
            } catch is Skipped {
                // There was no row to do it with.
            } catch {
                report(error, job.rawValue, glance, job.allowed)
                await waitForServer(error, dice)
            }
            Channel.doing(lane, "nothing")
            try? await Task.sleep(for: dice.milliseconds(0...30))
        }
    }

    func report(_ error: any Error, _ what: String, _ glance: Int, _ allowed: Set<Happening> = []) {
        guard let happening = judge.judge(error, since: glance, allowed) else {
            return Channel.violation("\(what) failed unexpectedly: \(error)")
        }
        Channel.count(happening)
    }

    /// While the server is away there is nothing to be learnt from trying.
    private func waitForServer(_ error: any Error, _ dice: Dice) async {
        let code = (error as? DatabaseError)?.code
        guard code == .connectionFailed || code == .connectionLost else { return }
        try? await Task.sleep(for: dice.milliseconds(50...300))
    }

    /// A statement's table and column, which may have other names just now.
    func place(_ dice: Dice) -> Place {
        let place = dice.pick(Place.all)
        return judge.glance() % 2 == 1 ? place.disguised(dice) : place
    }

    func transaction<Result>(
        _ dice: Dice,
        _ body: (Transaction) async throws -> Result
    ) async throws -> Result {
        // Some do not wait for the disk: what they have committed may be lost, and the files must fit all the same.
        let settings = dice.chance(3) ? ["synchronous_commit": "off"] : [:]
        return try await database.transaction(isolation: dice.pick(Self.levels), settings: settings, body)
    }

    /// Now and then a transaction takes longer than a file may wait for its row.
    func linger(_ dice: Dice) async throws {
        if dice.chance(25) {
            try await Task.sleep(for: dice.milliseconds(900...1600))
        } else if dice.chance(2) {
            try await Task.sleep(for: dice.milliseconds(0...120))
        }
    }
}

/// There was nothing to do it with.
struct Skipped: Error {}

/// An error that a transaction throws to be rolled back.
struct RolledBack: Error {}

/// Tries again while the server restarts.
@discardableResult
func persistently<Result>(_ work: () async throws -> Result) async throws -> Result {
    let end = ContinuousClock.now + .seconds(60)
    while true {
        do {
            return try await work()
        } catch {
            guard Judge.judge(error, isUpheaval: true) != nil, ContinuousClock.now < end else { throw error }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}

/// Ends the process at a step in the life of a file, now and then.
enum Failpoints {
    static func observe(_ database: Database, _ dice: Dice, _ times: Int) {
        database.observeLifecycleSteps { _ in
            if dice.chance(times) { kill(getpid(), SIGKILL) }
        }
    }
}

/// A job for a writer.
enum Job: String, CaseIterable, Sendable {
    case insert, insertInTransaction, insertAfterStore, replace, clear, deleteOne, rollback, savepoint, copy, storeTwice
    case picture, movePicture, cancel, dawdle, read
    case deleteMany, cascade, cteMove, insertThenDelete, deleteThenInsert, swapColumns, swapRows, movePartition
    case merge, mergeAway, truncate, conflictUpdate, conflictNothing, copyFrom, bulk, trim, purge, reinsert, overtake
    case prepare

    /// Each at least once in a deck.
    static let weighted: [Job] = allCases.flatMap { job -> [Job] in
        switch job {
        case .insert, .insertInTransaction, .insertAfterStore: [job, job, job, job]
        case .reinsert: [job, job, job, job, job]
        case .read, .deleteOne, .overtake: [job, job, job]
        case .replace, .picture, .cteMove, .insertThenDelete, .swapColumns, .bulk: [job, job]
        default: [job]
        }
    }

    /// Errors that are right for this job, and for no other.
    var allowed: Set<Happening> {
        switch self {
        case .copy, .read: [.missing]
        case .prepare: [.prepared]
        case .cancel: [.cancel]
        default: []
        }
    }
}

extension Writer {
    private func perform(_ job: Job, _ dice: Dice) async throws {
        switch job {
        case .insert: try await insert(dice)
        case .insertInTransaction: try await insertInTransaction(dice)
        case .insertAfterStore: try await insertAfterStore(dice)
        case .replace: try await replace(dice)
        case .clear: try await clear(dice)
        case .deleteOne: try await deleteOne(dice)
        case .rollback: try await rollBack(dice)
        case .savepoint: try await savepoint(dice)
        case .copy: try await copy(dice)
        case .storeTwice: try await storeTwice(dice)
        case .picture: try await picture(dice)
        case .movePicture: try await movePicture(dice)
        case .cancel: try await cancel(dice)
        case .dawdle: try await dawdle(dice)
        case .read: try await read(dice)
        case .deleteMany: try await deleteMany(dice)
        case .cascade: try await cascade(dice)
        case .cteMove: try await cteMove(dice)
        case .insertThenDelete: try await insertThenDelete(dice)
        case .deleteThenInsert: try await deleteThenInsert(dice)
        case .swapColumns: try await swapColumns(dice)
        case .swapRows: try await swapRows(dice)
        case .movePartition: try await movePartition(dice)
        case .merge: try await merge(dice)
        case .mergeAway: try await mergeAway(dice)
        case .truncate: try await truncate(dice)
        case .conflictUpdate: try await conflictUpdate(dice)
        case .conflictNothing: try await conflictNothing(dice)
        case .copyFrom: try await copyFrom(dice)
        case .bulk: try await bulk(dice)
        case .trim: try await trim(dice)
        case .purge: try await purge(dice)
        case .reinsert: try await reinsert(dice)
        case .overtake: try await overtake(dice)
        case .prepare: try await prepare(dice)
        }
    }
}
